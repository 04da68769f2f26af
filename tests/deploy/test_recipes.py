"""Every command and setting in a recipe is valid, and all recipes agree on ports, paths and versions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from modiste.server.settings import ENV_PREFIX, Settings, load_settings
from tests.deploy.recipes import DEPLOY, ROOT, commands, documents, parse, texts

RECIPES = sorted(DEPLOY.rglob("*.yaml"))
PODS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SERVING = [DEPLOY / "compose.yaml", DEPLOY / "kubernetes" / "studio.yaml"]
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")
# Read by everything that opens a shop (src/modiste/storage/remote/cache.py), and by Ray.
NOT_SERVE = {"MODISTE_CACHE", "RAY_worker_niceness"}

each_recipe = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)


def environments(held: Any) -> list[dict[str, str]]:
    """Return every environment in a document: Compose's mappings, and Kubernetes' lists of names and values."""
    found: list[dict[str, str]] = []
    if isinstance(held, dict):
        for name, value in held.items():
            if name == "environment" and isinstance(value, dict):
                found.append(value)
            elif name == "env" and isinstance(value, list):
                found.append({each["name"]: each["value"] for each in value})
            else:
                found += environments(value)
    elif isinstance(held, list):
        for each in held:
            found += environments(each)
    return found


@each_recipe
def test_recipe_is_yaml_without_local_paths_or_registry_hosts(path: Path):
    assert all(isinstance(document, dict) for document in documents(path))
    assert not re.search(r"/(work|home|Users|root)/|docker\.io|ghcr\.io", path.read_text(encoding="utf-8"))


@each_recipe
def test_commands_of_a_recipe_are_valid(path: Path):
    for words in commands(path):
        parse(words)


def test_recipes_contain_commands():
    assert sum(len(commands(path)) for path in RECIPES) >= 3


@pytest.mark.parametrize("path", SERVING, ids=lambda path: path.name)
def test_settings_of_a_recipe_are_valid(path: Path, monkeypatch: pytest.MonkeyPatch):
    held = [each for document in documents(path) for each in environments(document)]
    told = {name: value for each in held for name, value in each.items() if name.startswith(ENV_PREFIX)}
    assert told
    for name, value in told.items():
        plain = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        if name not in NOT_SERVE:
            assert name.removeprefix(ENV_PREFIX).lower() in Settings.model_fields
            monkeypatch.setenv(name, plain)
    assert load_settings().trusted_proxies, "who asks is not known behind a proxy that is not trusted"


@pytest.mark.parametrize("path", PODS, ids=lambda path: path.name)
def test_environment_variables_of_manifests_are_known(path: Path):
    for document in documents(path):
        for each in environments(document):
            for name in each:
                assert name in NOT_SERVE or name.removeprefix(ENV_PREFIX).lower() in Settings.model_fields


def test_deployment_passes_its_shop_to_serve():
    deployment = documents(DEPLOY / "kubernetes" / "studio.yaml")[0]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    # What an image's ENTRYPOINT has comes first; the last --shop counts.
    entry = re.search(r'ENTRYPOINT \["/app/bin/modiste", (.+)\]', CONTAINER)
    assert entry is not None
    begun = re.findall(r'"([^"]+)"', entry[1])
    assert parse([*begun, *container["args"]])["shop"] == container["args"][1]


def test_compose_mounts_the_shop_at_the_path_of_the_image():
    studio = documents(DEPLOY / "compose.yaml")[0]["services"]["studio"]
    mounted = studio["volumes"][0].split("}:")[1]
    assert mounted == "/shop:ro"
    assert '"--shop", "/shop"]' in CONTAINER


def test_port_probes_and_user_match_the_image():
    port = re.search(r"^EXPOSE (\d+)$", CONTAINER, re.MULTILINE)
    assert port is not None
    pod = documents(DEPLOY / "kubernetes" / "studio.yaml")[0]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["ports"][0]["containerPort"] == int(port[1])
    assert f"studio:{port[1]}" in (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert f"USER {pod['securityContext']['runAsUser']}:" in CONTAINER
    asked = {container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked == {"/readyz", "/livez"}
    # What is under way when a pod is told to go may end.
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + Settings().deadline


@each_recipe
def test_ray_version_matches_the_lock(path: Path):
    locked = re.search(r"^ray==(\S+)", (ROOT / "requirements" / "scale.lock").read_text(), re.MULTILINE)
    assert locked is not None
    said = [text for document in documents(path) for text in re.findall(r"'rayVersion': '([^']+)'", str(document))]
    assert set(said) <= {locked[1]}


def test_targets_exist_in_the_containerfile():
    named = {target for path in RECIPES for target in re.findall(r"--target (\w+)", path.read_text(encoding="utf-8"))}
    assert named <= set(re.findall(r"^FROM \S+ AS (\S+)$", CONTAINER, re.MULTILINE))
    assert all(isinstance(text, str) for path in RECIPES for text in texts(documents(path)))
