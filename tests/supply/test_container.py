"""The Containerfile refers to existing files, commands, settings, port and health check. Nothing builds it here."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest
import typer

from modiste.cli.app import app
from modiste.server.app import openapi_schema
from modiste.server.settings import ENV_PREFIX, Settings
from tests.supply.locks import ROOT

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
STEPS: list[tuple[str, str]] = [
    (found[1], " ".join(found[2].replace("\\\n", " ").split()))
    for found in re.finditer(r"^([A-Z]+) ((?:\\\n|[^\n])*)$", TEXT, re.MULTILINE)
]
BEGINNINGS = [number for number, (word, _) in enumerate(STEPS) if word == "FROM"]
STAGES = [STEPS[first:last] for first, last in zip(BEGINNINGS, [*BEGINNINGS[1:], None], strict=True)]
BUILD, BUILD_RAY, RAY, LAST = STAGES  # the last is what is built where no target is named


def arguments_of(word: str, steps: list[tuple[str, str]] = LAST) -> list[str]:
    return [rest for each, rest in steps if each == word]


def install_commands(steps: list[tuple[str, str]]) -> list[str]:
    """Return the commands of a stage that install something."""
    commands = [part for each in arguments_of("RUN", steps) for part in each.split(" && ")]
    return [part for part in commands if re.search(r"\binstall\b", part)]


def test_all_stages_have_the_same_pinned_base_image():
    bases = {each.split()[0] for each in arguments_of("FROM", STEPS)} - {"build"}
    assert len(bases) == 1
    python = re.fullmatch(r"python:(3\.\d+)-slim-[a-z]+", bases.pop())
    assert python
    assert f"Python :: {python[1]}" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_copied_files_exist_and_are_not_ignored():
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = [name for each in arguments_of("COPY", STEPS) if "--from" not in each for name in each.split()[:-1]]
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / name).exists() for name in copied)


def test_image_installs_with_hashes_and_without_torch():
    assert len(install_commands(BUILD)) == 3
    for part in install_commands(BUILD):
        assert "--require-hashes" in part or "--no-deps" in part
    assert not re.search(r"torch|train|scale|pip install -U", " ".join(arguments_of("RUN", BUILD)))
    assert arguments_of("COPY") == ["--from=build /app /app"]  # and nothing of the stages for Ray


def test_ray_image_adds_only_torch_and_the_locked_extras():
    hashed, torch = install_commands(BUILD_RAY)
    assert "--require-hashes -r requirements/train.lock -r requirements/scale.lock" in hashed
    assert torch.endswith("-r requirements/torch.txt")  # which has no hashes, and says why
    assert arguments_of("FROM", BUILD_RAY) == ["build AS build-ray"]
    assert arguments_of("COPY", RAY) == ["--from=build-ray /app /app"]
    assert arguments_of("USER", RAY) == arguments_of("USER")
    assert not arguments_of("RUN", RAY)
    # Starting a cluster calls `ray` and `modiste` by their names.
    assert arguments_of("ENV", RAY)[0].startswith("PATH=/app/bin:")
    assert not arguments_of("ENTRYPOINT", RAY)


def test_image_runs_as_an_unprivileged_user_and_writes_only_to_tmp():
    assert arguments_of("USER") == ["10001:10001"]
    assert not arguments_of("RUN")  # what root did is in the stage that is thrown away
    settings = dict(part.split("=", 1) for each in arguments_of("ENV") for part in each.split())
    assert settings["NUMBA_CACHE_DIR"].startswith("/tmp/")
    assert settings["HOME"] == "/tmp"
    assert settings["ORT_DISABLE_TELEMETRY"] == "1"
    for name in (name for name in settings if name.startswith(ENV_PREFIX)):
        assert name.removeprefix(ENV_PREFIX).lower() in Settings.model_fields


def test_entrypoint_is_an_existing_command():
    program, command, *options = json.loads(arguments_of("ENTRYPOINT")[0])
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    known = {option for each in commands[command].params for option in each.opts}
    assert program == "/app/bin/modiste"
    assert options == ["--shop", "/shop"]
    assert {each for each in options if each.startswith("--")} <= known


def test_health_check_uses_an_existing_path_and_port():
    check = arguments_of("HEALTHCHECK")[0]
    program, flag, asking = json.loads(check.partition(" CMD ")[2])
    assert (program, flag) == ("/app/bin/python", "-c")
    compile(asking, "health check", "exec")
    port, path = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", asking)[0]
    assert arguments_of("EXPOSE") == [port]
    assert int(port) == Settings().port
    assert "get" in openapi_schema()["paths"][path]


@pytest.mark.parametrize("page", ["docs/how-to/container.md"])
def test_container_page_names_the_port_mount_and_user(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"127.0.0.1:{Settings().port}:{Settings().port}" in text
    assert "/shop:ro" in text
    assert "--read-only" in text
    assert arguments_of("USER")[0].partition(":")[0] in text
    assert fnmatch.filter(re.findall(r"-f (\S+)", text), "Containerfile")
