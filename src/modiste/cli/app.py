"""The Typer application with all commands."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from rich.markup import escape
from typer import Exit, Option, Typer, echo

from modiste.cli.commands import backup, build, demo, doctor, evaluate, query, serve, shards, sliders

app = Typer(
    name="modiste",
    help="Build a shop from product photos: design products with sliders, find similar ones, recommend matching ones.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        from modiste._version import __version__

        echo(f"modiste {__version__}")
        raise Exit


@app.callback()
def root(
    version: Annotated[  # handled by its callback
        bool, Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Accept the options that come before a command."""


def help_text(command: Callable[..., None]) -> str:
    """Return a command's docstring as help for Rich, which breaks lines itself: one line per paragraph."""
    text, _, examples = (inspect.getdoc(command) or "").partition("Examples:\n")
    first, *others = (" ".join(each.split()) for each in text.strip().split("\n\n"))
    # The third line break makes Typer keep the indentation of the examples.
    return escape(f"{first}\n\n\n" + "\n\n".join([*others, f"Examples:\n{examples}"]))


def expand_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has, for each of its parameters that is a dataclass, an option per field."""
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if dataclasses.is_dataclass(group := parameter.annotation) and isinstance(group, type):
            groups[parameter.name] = group
            parameters += inspect.signature(group, eval_str=True).parameters.values()
        else:
            parameters.append(parameter)

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in dataclasses.fields(group)})
        command(**values)

    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    run.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]  # Typer reads it
    return run


for panel, commands in (
    ("Build", (build.build, build.ingest, build.train, build.encode, build.cluster, build.index, sliders.sliders)),
    ("Query", (query.generate, query.similar, query.recommend, query.info, evaluate.evaluate)),
    ("Serve", (serve.serve, serve.key, shards.shards, demo.demo)),
    ("Maintain", (backup.backup, backup.restore, doctor.doctor)),
):
    for command in commands:
        app.command(rich_help_panel=panel, help=help_text(command))(expand_groups(command))
