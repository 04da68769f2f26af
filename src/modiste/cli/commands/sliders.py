"""The command that names the sliders: sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from modiste.cli import options
from modiste.cli.output import make_table, print_result
from modiste.cli.progress_bars import ProgressBars

if TYPE_CHECKING:
    from modiste.latent.sliders import LatentSlider, Sliders

MAX_EFFECTS = 4  # of a latent, strongest first
MIN_EFFECT_SD = 0.2  # standard deviations; weaker effects are not shown
LATENT_FIELDS = ("latent", "name", "minimum", "maximum", "kl", "effects")
ATTRIBUTE_FIELDS = ("name", "minimum", "maximum", "share")


def sliders(
    shop: options.ShopPath,
    sheet: options.Sheet = None,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    json: options.JsonOutput = False,
) -> None:
    """Name the sliders by what they change, and compute the map of the catalogue.

    You can then edit the names, order and ranges in the model's `sliders.json`. The next run of this command writes the
    file again and saves your edited version as `sliders.json.bak`.

    Examples:
      modiste sliders --shop my-shop
      modiste sliders --shop my-shop --sheet sliders.png
    """
    from modiste.pipeline.map import make_map
    from modiste.pipeline.sliders import make_sliders
    from modiste.shop.contact_sheets import save_image, sheet_mark, slider_sheet
    from modiste.shop.shop import Shop

    with ProgressBars(quiet=json) as bars:
        result = make_sliders(shop, seed=seed, threads=threads, on_progress=bars)
        make_map(shop, seed=seed, on_progress=bars)
    opened = Shop.open(shop, need="encodings", threads=threads)
    if sheet is not None:
        save_image(sheet, slider_sheet(opened), sheet_mark(opened))
    shown: list[Any] = [_latent_table(opened.sliders)]
    if result["copy"] is not None:
        shown.insert(0, f"{result['file']} was edited by hand; that version is saved as {result['copy']}.")
    if opened.sliders.attributes:
        shown.append(_attribute_table(opened.sliders))
    shown.append(f"You can edit names and ranges in {result['file']}.")
    print_result(result | _sliders_json(opened.sliders), *shown, as_json=json)


def _sliders_json(sliders: Sliders) -> dict[str, Any]:
    return {
        "latents": [
            {name: getattr(each, name) for name in LATENT_FIELDS} | {"idle": each.is_idle} for each in sliders.latents
        ],
        "attributes": [{name: getattr(each, name) for name in ATTRIBUTE_FIELDS} for each in sliders.attributes],
    }


def _latent_table(sliders: Sliders) -> Table:
    rows = (
        (
            each.latent,
            f"{each.name} (idle)" if each.is_idle else each.name,
            f"{each.minimum:.1f} … {each.maximum:.1f}",
            f"{each.kl:.2f}",
            _format_effects(each),
        )
        for each in sliders.latents
    )
    columns = ("latent", "name", "range", "KL", "effect from end to end, in standard deviations")
    return make_table("Sliders, by importance", columns, rows, numeric=("latent", "range", "KL"))


def _format_effects(slider: LatentSlider) -> str:
    effects = [(name, size) for name, size in slider.effects.items() if name != "hue" and abs(size) >= MIN_EFFECT_SD]
    effects.sort(key=lambda pair: -abs(pair[1]))
    return ", ".join(f"{name} {size:+.1f}" for name, size in effects[:MAX_EFFECTS]) or "-"


def _attribute_table(sliders: Sliders) -> Table:
    rows = ((each.name, f"{each.minimum:.1f} … {each.maximum:.1f}", f"{each.share:.0%}") for each in sliders.attributes)
    columns = ("name", "range", "explained variance")
    return make_table("Sliders by attribute", columns, rows, numeric=columns[1:])
