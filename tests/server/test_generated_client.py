"""A client that a generator writes from the committed OpenAPI description: no warnings, and typed answers."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.server.test_run import serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv-tools" / "bin"
PAGE = (ROOT / "docs" / "how-to" / "client.md").read_text(encoding="utf-8")
DOCUMENTED_URL = "http://127.0.0.1:8000"


def code_block(language: str) -> str:
    """Return the block of a language on the page that says how to generate a client."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def run(command: list[str | Path], directory: Path) -> str:
    """Run a program of `.venv-tools` in a directory and return what it prints."""
    environment = os.environ | {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(directory)}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def client_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the generated package `modiste_client`."""
    generator = TOOLS / "openapi-python-client"
    if not generator.exists():
        pytest.skip("there is no openapi-python-client: `make setup` installs it")
    directory = tmp_path_factory.mktemp("client")
    (directory / "client.yaml").write_text(code_block("yaml"), encoding="utf-8")
    source = ["--path", ROOT / "docs" / "reference" / "openapi.json", "--config", "client.yaml"]
    target = ["--meta", "none", "--output-path", "modiste_client"]
    printed = run([generator, "generate", *source, *target, "--fail-on-warning"], directory)
    assert printed.split() == ["Generating", "modiste_client"]
    return directory


def test_generated_client_returns_typed_responses(client_directory: Path, built: Path, photo: bytes) -> None:
    (client_directory / "photo.jpg").write_bytes(photo)
    program = Path(__file__).with_name("generated_client_program.py")
    with serving(built) as (_, url):
        run([TOOLS / "python", "-W", "error", program, url, client_directory / "photo.jpg"], client_directory)


def test_documented_client_example_runs(client_directory: Path, built: Path, photo: bytes) -> None:
    (client_directory / "heel.jpg").write_bytes(photo)
    example = code_block("python")
    assert DOCUMENTED_URL in example
    with serving(built) as (_, url):
        (client_directory / "example.py").write_text(example.replace(DOCUMENTED_URL, url), encoding="utf-8")
        printed = run([TOOLS / "python", "-W", "error", "example.py"], client_directory)
    assert len(printed.splitlines()) == 5
