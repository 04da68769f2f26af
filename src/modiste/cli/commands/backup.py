"""The commands that keep a shop safe: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modiste.cli import options


def backup(
    shop: options.ShopPath,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it; a file there is replaced.")],
    json: options.JsonOutput = False,
) -> None:
    """Write a whole shop to one file, with a checksum of everything in it. The shop goes on answering meanwhile.

    The file is there once it is whole, and not before. Training's own files are left out: only training reads them.

    \b
    modiste backup --shop my-shop --out my-shop.zip
    modiste backup --shop my-shop --out /backups/my-shop-monday.zip --json
    """
    from modiste.cli.output import console, print_json
    from modiste.cli.progress_bars import ProgressBars
    from modiste.storage.backup import backup_shop

    with ProgressBars(quiet=json) as bars:
        made = backup_shop(shop, out, on_progress=bars)
    if json:
        print_json(made)
        return
    console().print(
        f"{made['products']:,} products in {made['files']:,} files, {made['bytes'] / 1e6:,.1f} MB, in {made['file']}.",
        soft_wrap=True,
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `modiste backup` has written.")],
    shop: Annotated[
        str, typer.Option("--shop", metavar="DIR|URL", help="Where to make the shop; nothing is there yet.")
    ],
    json: options.JsonOutput = False,
) -> None:
    """Make a shop from a backup. It appears once everything in it has been checked, and not before.

    \b
    modiste restore my-shop.zip --shop my-shop
    modiste restore /backups/my-shop-monday.zip --shop my-shop --json
    """
    from modiste.cli.output import console, print_json
    from modiste.cli.progress_bars import ProgressBars
    from modiste.storage.backup import restore_shop

    with ProgressBars(quiet=json) as bars:
        made = restore_shop(file, shop, on_progress=bars)
    if json:
        print_json(made)
        return
    console().print(
        f"{made['shop']}: {made['products']:,} products, {made['bytes'] / 1e6:,.1f} MB, as they were on "
        f"{made['made']} (Modiste {made['modiste']}).",
        soft_wrap=True,
    )
