"""Read the recipes in `deploy/`: their documents, and the `modiste` commands in them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from modiste.cli.app import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".venv-tools" / "bin"
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def documents(path: Path) -> list[dict[str, Any]]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def texts(held: Any) -> Iterator[str]:
    """Yield every string in a document, at any depth."""
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict):
        for each in held.values():
            yield from texts(each)
    elif isinstance(held, list):
        for each in held:
            yield from texts(each)


def commands(path: Path) -> list[list[str]]:
    """Return the words after `modiste` of every command that a file runs or shows in its comments."""
    comments = re.findall(r"^# {3}(\S.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    said = [*comments, *(each for document in documents(path) for each in texts(document))]
    return [shlex.split(words) for text in said for words in re.findall(r"\bmodiste ([a-z]+ [^'&;]*--[^'&;]*)", text)]


def parse(words: list[str]) -> dict[str, Any]:
    """Parse words with the real command line and return its parameters. If they are invalid, the test fails."""
    command = COMMANDS.get(words[0])
    assert command is not None, f"there is no command `modiste {words[0]}`"
    try:
        return command.make_context(words[0], list(words[1:])).params
    except Exception as error:
        pytest.fail(f"`modiste {shlex.join(words)}` is not taken: {error}")


def tool(name: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of `.venv-tools`. If it is missing, the test is skipped."""
    program = TOOLS / name
    if not program.exists():
        pytest.skip(f"there is no {name}: `make setup` installs it, where there is one for this machine")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, **more)
