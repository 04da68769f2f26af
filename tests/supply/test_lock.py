"""The locks have an exact version and hashes for every package, on every platform; pip rejects other files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.supply.locks import ENTRY, LOCKS, ROOT, entries

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
WITHOUT_HASHES = {"torch"}  # and what it brings: requirements/torch.txt
WITHOUT_LOCK = {"scale"}  # docs/dependencies.md
MACHINES = [
    {"sys_platform": platform, "platform_system": system, "os_name": name, "platform_machine": machine}
    for platform, system, name, machine in [
        ("linux", "Linux", "posix", "x86_64"),
        ("linux", "Linux", "posix", "aarch64"),
        ("darwin", "Darwin", "posix", "arm64"),
        ("win32", "Windows", "nt", "AMD64"),
    ]
]
PYTHONS = ["3.11", "3.12", "3.13"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_locked_package_has_an_exact_version_and_hashes(lock: Path):
    text = re.sub(r"^#.*\n|^--only-binary :all:\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert ENTRY.search(text)
    assert ENTRY.sub("", text) == ""


def test_only_torch_has_no_hashes():
    lines = (ROOT / "requirements" / "torch.txt").read_text(encoding="utf-8").splitlines()
    assert {line.partition("==")[0] for line in lines if not line.startswith("#")} == WITHOUT_HASHES
    assert {path.name for path in (ROOT / "requirements").iterdir()} - {path.name for path in LOCKS} == {"torch.txt"}


@pytest.mark.parametrize("part", ["run", *sorted(set(EXTRAS) - WITHOUT_LOCK)])
def test_locks_contain_the_declared_dependencies(part: str):
    declared = PROJECT["project"]["dependencies"] if part == "run" else EXTRAS[part]
    locked = entries("run") | entries(part)
    for requirement in map(Requirement, declared):
        name = canonicalize_name(requirement.name)
        if name not in WITHOUT_HASHES:
            assert name in locked, f"requirements/{part}.lock lacks {name}: run `make lock`"
            version = locked[name].partition("==")[2].split()[0]
            assert Version(version) in requirement.specifier, f"{name} {version}: run `make lock`"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: f"{each['sys_platform']}-{each['platform_machine']}")
def test_locks_contain_transitive_dependencies_of_every_platform(machine: dict[str, str], python: str):
    """pip refuses to install anything beyond the hashes, so one package that only Windows needs would stop it there."""
    where = {**machine, "python_version": python, "python_full_version": f"{python}.9", "extra": ""}
    lacking: set[str] = set()
    for part in ("run", "train", "hub", "scale", "dev"):
        locked = entries("run") | entries(part)
        for name in locked:
            try:
                needed = [Requirement(each) for each in requires(name) or []]
            except PackageNotFoundError:  # of another machine, or not installed here
                continue
            for each in needed:
                wanted = each.marker is None or each.marker.evaluate(where)
                if wanted and canonicalize_name(each.name) not in {*locked, *WITHOUT_HASHES}:
                    lacking.add(f"{part}.lock: {name} needs {each}")
    assert not lacking, "\n".join(sorted(lacking))


def test_makefile_installs_with_hashes_only():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"^\t.*\b(?:pip|PIP\))(?: \S+)* install (.*)$", makefile, re.MULTILINE)
    unhashed = [each for each in installs if "--no-deps" not in each]
    assert unhashed == ["-r requirements/torch.txt"]
    assert "--require-hashes" in re.findall(r"^locked = install (.*)$", makefile, re.MULTILINE)[0]


def download(folder: Path, requirement: str) -> subprocess.CompletedProcess[str]:
    """Fetch a package as pip installs it, with its hashes checked."""
    folder.mkdir()
    (folder / "one.lock").write_text(requirement, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--no-deps", "--require-hashes", "--retries", "0", "-r", "one.lock"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_pip_rejects_a_file_with_another_hash(tmp_path: Path):
    right = entries("dev")["iniconfig"]
    done = download(tmp_path / "right", right)
    if done.returncode and "DO NOT MATCH" not in done.stderr:
        pytest.skip(f"pip reaches no index: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "right").glob("iniconfig-*.whl"))

    wrong = re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", right)
    done = download(tmp_path / "wrong", wrong)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not list((tmp_path / "wrong").glob("iniconfig*"))
