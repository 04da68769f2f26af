"""Entry point of the command line: runs a command and turns errors into messages and exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import typer

from modiste.errors import BadOption, ModisteError, UsageError, error_code
from modiste.sources.sanitize import escape_control_chars

INTERRUPTED_EXIT_CODE = 130
# The base class of the errors that Typer raises for an invalid command line; Typer does not export it.
ParsingError: type[Exception] = typer.BadParameter.__bases__[0].__bases__[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, the error's, 2 for bad usage, or 130 after Ctrl-C.

    With MODISTE_DEBUG=1 in the environment, an error also prints its stack trace.
    """
    from modiste.cli.app import app

    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        code = app(arguments, prog_name="modiste", standalone_mode=False)
    except ModisteError as error:
        _print_debug_trace()
        return _print_error(error_code(type(error)), error.message, error.remedy, error.exit_code, as_json)
    except ParsingError as error:
        # A missing option is a subclass of BadParameter.
        error_type = BadOption if type(error) is typer.BadParameter else UsageError
        message = str(error.format_message()).replace("Value error, ", "").rstrip(".")  # type: ignore[attr-defined]
        context = getattr(error, "ctx", None)
        remedy = f"See `{context.command_path if context else 'modiste'} --help`."
        return _print_error(error_code(error_type), f"{message}.", remedy, error_type.exit_code, as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED_EXIT_CODE
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe. Otherwise Python would report it again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if code == INTERRUPTED_EXIT_CODE:
        remedy = "Run the same command again; finished work is kept."
        return _print_error("interrupted", "Interrupted.", remedy, INTERRUPTED_EXIT_CODE, as_json)
    return int(code or 0)


def _print_error(code: str, message: str, remedy: str, exit_code: int, as_json: bool) -> int:
    if as_json:
        text = json.dumps({"error": {"code": code, "message": message, "remedy": remedy}}, ensure_ascii=False)
    else:
        text = f"Error: {message}" + (f"\n  {remedy}" if remedy else "")
    sys.stderr.write(escape_control_chars(text) + "\n")
    return exit_code


def _print_debug_trace() -> None:
    if os.environ.get("MODISTE_DEBUG") == "1":
        import traceback

        traceback.print_exc()
