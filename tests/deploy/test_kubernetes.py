"""The Kubernetes manifests: held against Kubernetes' own strict schemas; of KubeRay's kinds, their pods are, and the
rest against what KubeRay's types say of the fields used here, for no package has its schemas."""

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


def of_ray(path: Path) -> list[dict[str, Any]]:
    return [each for each in documents(path) if each["apiVersion"] == RAY]


def clusters(path: Path) -> Iterator[dict[str, Any]]:
    """The specifications of Ray clusters in a file."""
    for each in of_ray(path):
        spec = each["spec"] if each["kind"] == "RayCluster" else each["spec"].get("rayClusterSpec")
        if spec is not None:
            yield spec


def templates(path: Path) -> Iterator[dict[str, Any]]:
    """The pods of a file's deployments and Ray clusters."""
    for each in documents(path):
        if each["kind"] == "Deployment":
            yield each["spec"]["template"]
    for spec in clusters(path):
        yield spec["headGroupSpec"]["template"]
        yield from (group["template"] for group in spec["workerGroupSpecs"])


def check(held: dict[str, Any], kinds: dict[str, type]) -> None:
    for name, value in held.items():
        assert name in kinds, f"KubeRay has no field {name}, or this test does not know it"
        assert type(value) is kinds[name], f"{name} is {value!r}"


@each_manifest
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_it_holds_against_the_strict_schemas(path: Path, version: str, tmp_path: Path):
    plain = [each for each in documents(path) if each["apiVersion"] != RAY]
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{i}"} | each["metadata"], "spec": each["spec"]}
        for i, each in enumerate(templates(path))
    ]
    written = tmp_path / path.name
    written.write_text(yaml.safe_dump_all([*plain, *pods]), encoding="utf-8")
    said = tool("kubernetes-validate", "-k", version, "--strict", str(written))
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count(" passed ") == len(plain) + len(pods) > 0


def test_the_check_would_see_a_field_that_is_none(tmp_path: Path):
    held = documents(DEPLOY / "kubernetes" / "studio.yaml")[0]
    held["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(held), encoding="utf-8")
    assert tool("kubernetes-validate", "-k", NEWEST, "--strict", str(tmp_path / "wrong.yaml")).returncode != 0


@each_manifest
def test_rays_kinds_have_known_fields_only(path: Path):
    for each in of_ray(path):
        assert each["kind"] in ("RayCluster", "RayJob")
        if each["kind"] == "RayJob":
            check(each["spec"], JOB)
            assert ("clusterSelector" in each["spec"]) != ("rayClusterSpec" in each["spec"])
    for spec in clusters(path):
        check(spec, CLUSTER)
        check(spec["headGroupSpec"], HEAD)
        for group in spec["workerGroupSpecs"]:
            check(group, WORKERS)
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]:
            params = group["rayStartParams"]  # all of them texts
            assert all(type(value) is str for value in params.values())


@each_manifest
def test_a_job_finds_its_cluster(path: Path):
    names = {each["metadata"]["name"] for each in of_ray(path) if each["kind"] == "RayCluster"}
    for each in of_ray(path):
        chosen = each["spec"].get("clusterSelector")
        assert chosen is None or chosen["ray.io/cluster"] in names


@each_manifest
def test_nothing_runs_as_root_or_writes_to_its_root_or_takes_without_limit(path: Path):
    for template in templates(path):
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
def test_selectors_find_the_pods_that_they_mean(path: Path):
    labels = [template["metadata"]["labels"] for template in templates(path)]
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
