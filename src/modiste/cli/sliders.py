"""The command that names the sliders: sliders."""

from __future__ import annotations

from modiste.cli import options
from modiste.cli.bars import Bars


def sliders(
    shop: options.ShopPath,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    json: options.AsJson = False,
) -> None:
    """Name what each slider does, and lay out the map of the catalogue. Names may then be edited in sliders.json.

    \b
    modiste sliders --shop my-shop
    modiste sliders --shop my-shop --json
    """
    from modiste.cli.output import console, print_json
    from modiste.shop.shop import Shop
    from modiste.shop.sliding import make_map, make_sliders

    with Bars(quiet=json) as bars:
        made = make_sliders(shop, seed=seed, threads=threads, on_progress=bars)
        make_map(shop, seed=seed, on_progress=bars)
    held = Shop.open(shop, need="encodings").sliders
    if json:
        print_json(made | {"latents": [], "attributes": [each.name for each in held.attributes]})
        return
    for each in held.latents:
        console().print(f"{each.latent:>3}  {each.name}")
