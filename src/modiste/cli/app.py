"""The application: every command by name."""

from __future__ import annotations

from typing import Annotated

import typer

from modiste.cli.commands import backup, build, demo, doctor, evaluate, index, query, serve, shards, sliders

app = typer.Typer(
    name="modiste",
    help="Sliders that draw a product, the products like it, and what goes with it: a shop built from its own photos.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from modiste._version import __version__

        typer.echo(f"modiste {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[  # acted on by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """[bold]modiste build SOURCE --shop DIR[/bold] makes a shop; the other commands ask it, or make one stage of it."""


for panel, commands in (
    ("Build", (build.build, build.ingest, build.train, build.encode, build.cluster, sliders.sliders, index.index)),
    ("Ask", (query.generate, query.similar, query.recommend, query.info, evaluate.evaluate)),
    ("Serve", (serve.serve, serve.key, shards.shards, demo.demo)),
    ("Maintain", (backup.backup, backup.restore, doctor.doctor)),
):
    for command in commands:
        app.command(rich_help_panel=panel)(command)
