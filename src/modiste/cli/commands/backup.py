"""Commands that back up and restore a shop: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from modiste.cli import options
from modiste.cli.output import print_result
from modiste.cli.progress_bars import ProgressBars


def backup(
    shop: options.ShopPath,
    out: Annotated[Path, Option(metavar="FILE", help="The backup; an existing file is replaced.")],
    json: options.JsonOutput = False,
) -> None:
    """Back up a shop to one file, with checksums. The shop still answers queries.

    The file appears when it is complete. Files that only training reads are left out.

    Examples:
      modiste backup --shop my-shop --out my-shop.zip
      modiste backup --shop my-shop --out /backups/my-shop-monday.zip --json
    """
    from modiste.storage.backup import backup_shop

    with ProgressBars(quiet=json) as bars:
        result = backup_shop(shop, out, on_progress=bars)
    size = f"{result['products']:,} products, {result['files']:,} files, {result['bytes'] / 1e6:,.1f} MB"
    print_result(result, f"Wrote {result['file']}: {size}.", as_json=json)


def restore(
    file: Annotated[Path, Argument(metavar="FILE", help="A backup that `modiste backup` wrote.")],
    shop: Annotated[
        str, Option("--shop", metavar="DIR|URL", help="The shop to create: a new directory, or an unused URL.")
    ],
    json: options.JsonOutput = False,
) -> None:
    """Restore a shop from a backup. Incomplete or damaged backups are rejected.

    The shop appears when all of it has been checked.

    Examples:
      modiste restore my-shop.zip --shop my-shop
      modiste restore /backups/my-shop-monday.zip --shop my-shop --json
    """
    from modiste.storage.backup import restore_shop

    with ProgressBars(quiet=json) as bars:
        result = restore_shop(file, shop, on_progress=bars)
    text = (
        f"Restored {result['shop']}: {result['products']:,} products, {result['bytes'] / 1e6:,.1f} MB. "
        f"The backup is of {result['made']}, by Modiste {result['modiste']}."
    )
    print_result(result, text, as_json=json)
