"""The command that names the sliders: sliders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from modiste.cli import options
from modiste.cli.progress_bars import ProgressBars
from modiste.sources.sanitize import escape_control_chars

if TYPE_CHECKING:
    from modiste.latent.sliders import LatentSlider, Sliders

MAX_EFFECTS = 4  # effects of each latent, strongest first
MIN_EFFECT_SD = 0.2  # standard deviations: less is not worth a word


def sliders(
    shop: options.ShopPath,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw where each slider leads, seven pictures each.")
    ] = None,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    json: options.JsonOutput = False,
) -> None:
    """Name what each slider does, and lay out the map of the catalogue.

    Names, order and ranges may then be edited in `sliders.json`, which lies with the model. Run again, the command
    writes the file anew and keeps an edited one as `sliders.json.bak`.

    \b
    modiste sliders --shop my-shop
    modiste sliders --shop my-shop --sheet sliders.png
    """
    from modiste.cli.output import console, print_json
    from modiste.pipeline.map import make_map
    from modiste.pipeline.sliders import make_sliders
    from modiste.shop.contact_sheets import check_image_suffix, save_image, slider_sheet
    from modiste.shop.shop import Shop

    if sheet is not None:
        check_image_suffix(sheet)
    with ProgressBars(quiet=json) as bars:
        made = make_sliders(shop, seed=seed, threads=threads, on_progress=bars)
        make_map(shop, seed=seed, on_progress=bars)
    opened = Shop.open(shop, need="encodings", threads=threads)
    if sheet is not None:
        save_image(sheet, slider_sheet(opened))
    if json:
        print_json(made | _sliders_json(opened.sliders))
        return
    if made["copy"] is not None:
        console().print(f"{made['file']} was edited by hand; it is kept as {made['copy']}.", soft_wrap=True)
    console().print(_latent_table(opened.sliders))
    if opened.sliders.attributes:
        console().print(_attribute_table(opened.sliders))
    console().print(f"Edit names and ranges in {made['file']}.", soft_wrap=True)


def _sliders_json(held: Sliders) -> dict[str, Any]:
    return {
        "latents": [
            {
                "latent": each.latent,
                "name": each.name,
                "minimum": each.minimum,
                "maximum": each.maximum,
                "kl": each.kl,
                "idle": each.is_idle,
                "effects": each.effects,
            }
            for each in held.latents
        ],
        "attributes": [
            {"name": each.name, "minimum": each.minimum, "maximum": each.maximum, "share": each.share}
            for each in held.attributes
        ],
    }


def _latent_table(held: Sliders) -> Table:
    table = Table(title="Sliders, those that matter most first", title_justify="left", title_style="bold")
    table.add_column("latent", justify="right")
    table.add_column("name")
    table.add_column("range", justify="right")
    table.add_column("KL", justify="right")
    table.add_column("from end to end, in standard deviations")
    for each in held.latents:
        name = Text(escape_control_chars(each.name), style="dim" if each.is_idle else "")
        span = f"{each.minimum:.1f} … {each.maximum:.1f}"
        table.add_row(str(each.latent), name, span, f"{each.kl:.2f}", _format_effects(each))
    return table


def _format_effects(each: LatentSlider) -> str:
    pairs = [(name, size) for name, size in each.effects.items() if name != "hue" and abs(size) >= MIN_EFFECT_SD]
    pairs.sort(key=lambda pair: -abs(pair[1]))
    return ", ".join(f"{name} {size:+.1f}" for name, size in pairs[:MAX_EFFECTS]) or "-"


def _attribute_table(held: Sliders) -> Table:
    table = Table(title="By attribute", title_justify="left", title_style="bold")
    table.add_column("name")
    table.add_column("range", justify="right")
    table.add_column("explained", justify="right")
    for each in held.attributes:
        table.add_row(each.name, f"{each.minimum:.1f} … {each.maximum:.1f}", f"{each.share:.0%}")
    return table
