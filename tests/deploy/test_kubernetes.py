"""The Kubernetes manifests are valid.

Kubernetes' strict schemas check its own kinds, and the pods of KubeRay's kinds. No package has KubeRay's schemas, so
the tables below have the fields that Modiste uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.recipes import DEPLOY, documents, tool

OLDEST, NEWEST = ("1.34", "1.37")  # the sleep of preStop is in all of these; NEWEST is the newest that the tool has
PATHS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
RAY = "ray.io/v1"

# KubeRay v1: ray-operator/apis/ray/v1, the fields that we use and the kinds of their values.
CLUSTER = {"rayVersion": str, "headGroupSpec": dict, "workerGroupSpecs": list}
HEAD = {"rayStartParams": dict, "template": dict}
WORKERS = HEAD | {"groupName": str, "replicas": int, "minReplicas": int, "maxReplicas": int}
JOB = {
    "entrypoint": str,
    "backoffLimit": int,
    "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int,
    "rayClusterSpec": dict,
    "clusterSelector": dict,
}

each_manifest = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


def ray_documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in documents(path) if each["apiVersion"] == RAY]


def cluster_specs(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the specifications of the Ray clusters in a file."""
    for each in ray_documents(path):
        spec = each["spec"] if each["kind"] == "RayCluster" else each["spec"].get("rayClusterSpec")
        if spec is not None:
            yield spec


def pod_templates(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the pod templates of the deployments and Ray clusters in a file."""
    for each in documents(path):
        if each["kind"] == "Deployment":
            yield each["spec"]["template"]
    for spec in cluster_specs(path):
        yield spec["headGroupSpec"]["template"]
        yield from (group["template"] for group in spec["workerGroupSpecs"])


def check_fields(held: dict[str, Any], kinds: dict[str, type]) -> None:
    for name, value in held.items():
        assert name in kinds, f"KubeRay has no field {name}, or this test does not know it"
        assert type(value) is kinds[name], f"{name} is {value!r}"


@each_manifest
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_manifest_is_valid_against_strict_schemas(path: Path, version: str, tmp_path: Path):
    plain = [each for each in documents(path) if each["apiVersion"] != RAY]
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{i}"} | each["metadata"], "spec": each["spec"]}
        for i, each in enumerate(pod_templates(path))
    ]
    written = tmp_path / path.name
    written.write_text(yaml.safe_dump_all([*plain, *pods]), encoding="utf-8")
    said = tool("kubernetes-validate", "-k", version, "--strict", str(written))
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count(" passed ") == len(plain) + len(pods) > 0


def test_strict_validation_detects_an_unknown_field(tmp_path: Path):
    held = documents(DEPLOY / "kubernetes" / "studio.yaml")[0]
    held["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(held), encoding="utf-8")
    assert tool("kubernetes-validate", "-k", NEWEST, "--strict", str(tmp_path / "wrong.yaml")).returncode != 0


@each_manifest
def test_ray_resources_have_only_known_fields(path: Path):
    for each in ray_documents(path):
        assert each["kind"] in ("RayCluster", "RayJob")
        if each["kind"] == "RayJob":
            check_fields(each["spec"], JOB)
            assert ("clusterSelector" in each["spec"]) != ("rayClusterSpec" in each["spec"])
    for spec in cluster_specs(path):
        check_fields(spec, CLUSTER)
        check_fields(spec["headGroupSpec"], HEAD)
        for group in spec["workerGroupSpecs"]:
            check_fields(group, WORKERS)
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]:
            params = group["rayStartParams"]  # all of them texts
            assert all(type(value) is str for value in params.values())


@each_manifest
def test_ray_jobs_select_an_existing_cluster(path: Path):
    names = {each["metadata"]["name"] for each in ray_documents(path) if each["kind"] == "RayCluster"}
    for each in ray_documents(path):
        chosen = each["spec"].get("clusterSelector")
        assert chosen is None or chosen["ray.io/cluster"] in names


@each_manifest
def test_containers_are_non_root_read_only_and_have_resource_limits(path: Path):
    for template in pod_templates(path):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        volumes = {each["name"] for each in pod["volumes"]}
        for container in pod["containers"]:
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"] is True
            assert locked["allowPrivilegeEscalation"] is False
            assert locked["capabilities"] == {"drop": ["ALL"]}
            for word in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][word])
            assert {each["name"] for each in container["volumeMounts"]} <= volumes
            assert "readinessProbe" in container
            assert "livenessProbe" in container


@each_manifest
def test_selectors_match_existing_resources(path: Path):
    labels = [template["metadata"]["labels"] for template in pod_templates(path)]
    for each in documents(path):
        spec = each["spec"]
        if each["kind"] == "Service":
            assert any(spec["selector"].items() <= held.items() for held in labels)
        elif each["kind"] == "Ingress":
            backends = [rule["backend"]["service"]["name"] for rule in spec["rules"][0]["http"]["paths"]]
            services = {one["metadata"]["name"] for one in documents(path) if one["kind"] == "Service"}
            assert set(backends) <= services
        elif each["kind"] == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            assert target["name"] in {
                one["metadata"]["name"] for one in documents(path) if one["kind"] == target["kind"]
            }
