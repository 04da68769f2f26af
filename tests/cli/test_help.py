"""The help texts, and the version."""

from __future__ import annotations

import subprocess
import sys

import pytest

from modiste import __version__
from modiste.cli import main
from modiste.cli.app import app

COMMANDS = [str(command.callback.__name__) for command in app.registered_commands if command.callback]


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"modiste {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    lines = [line.strip() for line in text.splitlines()]
    assert lines[lines.index("Examples:") + 1].startswith(f"modiste {command}")
    assert "--json" in text


def test_help_does_not_import_heavy_libraries() -> None:
    heavy = ("torch", "pandas", "lancedb", "pyarrow", "sklearn", "onnxruntime")
    program = (
        "import sys; from modiste.cli import main; main(['--help']);"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_python_m_modiste_runs_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "modiste", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("modiste ")
