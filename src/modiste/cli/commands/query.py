"""The commands that ask a shop: generate, similar, recommend, info."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from modiste.cli import options, query_source

if TYPE_CHECKING:
    from modiste.shop.shop import Shop

Method = Annotated[str, typer.Option(metavar="likelihood|fixed-epsilon|mean", help="How nearness is measured.")]
Metric = Annotated[str, typer.Option(metavar="euclidean|manhattan", help="Of the distance, where there is one.")]
Scope = Annotated[str, typer.Option(metavar="cluster|catalogue", help="Where to look.")]
Tau = Annotated[
    float | None,
    typer.Option(metavar="T", help="Uncertainty of the start, for the likelihood; the shop's if left out."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILTER",
        help="Only products that fit: name=value,value or name!=value, name>=number or name<=number; "
        "or JSON, with any, all and not. Given again, all must fit.",
    ),
]
SheetFile = Annotated[Path | None, typer.Option(metavar="FILE.png", help="Write the answer as a contact sheet.")]


def generate(
    shop: options.ShopPath,
    out: Annotated[Path, typer.Option(metavar="FILE.png", help="Where to write it: .png, .jpg or .webp.")],
    product: query_source.Product = None,
    photo: query_source.Photo = None,
    code: query_source.Code = None,
    random: query_source.Random = False,
    seed: query_source.RandomSeed = None,
    json: options.JsonOutput = False,
) -> None:
    """Draw a design: what the model makes of a product, a photo, a code or chance.

    \b
    modiste generate --shop my-shop --random --seed 7 --out design.png
    modiste generate --shop my-shop --product 1163 --out redrawn.png
    """
    from PIL import Image

    from modiste.cli.output import console, print_json
    from modiste.shop.contact_sheets import check_image_suffix, save_image
    from modiste.shop.shop import Shop

    begin = query_source.QuerySource(product, photo, code, random, seed)
    begin.validate()
    check_image_suffix(out)
    opened = Shop.open(shop, need="encodings" if product is not None or random else "model")
    design = begin.code(opened)
    save_image(out, Image.fromarray(opened.decode(design)))
    if json:
        print_json({"code": design.tolist(), "out": str(out)})
    else:
        console().print(f"Wrote {out}.", soft_wrap=True)


def similar(
    shop: options.ShopPath,
    product: query_source.Product = None,
    photo: query_source.Photo = None,
    code: query_source.Code = None,
    random: query_source.Random = False,
    seed: query_source.RandomSeed = None,
    k: Annotated[int, typer.Option("-k", "--k", metavar="K", help="How many products.")] = 10,
    method: Method = "likelihood",
    metric: Metric = "euclidean",
    scope: Scope = "cluster",
    tau: Tau = None,
    where: Where = None,
    sheet: SheetFile = None,
    json: options.JsonOutput = False,
) -> None:
    """The shop's products nearest to a product, a photo, a code or a random design.

    \b
    modiste similar --shop my-shop --product 1163
    modiste similar --shop my-shop --photo shoe.jpg -k 20 --method fixed-epsilon --scope catalogue
    modiste similar --shop my-shop --random --seed 7 --sheet similar.png
    modiste similar --shop my-shop --product 1163 --where base_colour=Red,Maroon --where 'year>=2012'
    """
    from modiste.cli.output import console, matches_table, print_json
    from modiste.shop.contact_sheets import check_image_suffix, save_image, similar_sheet
    from modiste.shop.filters import parse_filter

    begin = query_source.QuerySource(product, photo, code, random, seed)
    opened = _open_shop(shop, begin)
    if sheet is not None:
        check_image_suffix(sheet)
    design = begin.code(opened)
    matches = opened.similar(
        design,
        k,
        _any(method),
        _any(scope),
        metric=_any(metric),
        tau=tau,
        exclude=begin.excluded_ids,
        where=parse_filter(where or ()),
    )
    if sheet is not None:
        picture = begin.picture(opened, design)
        save_image(sheet, similar_sheet(picture, (begin.caption, f"{method}, {scope}"), _any(matches)))
    if json:
        print_json({"query": _query_json(opened, design), "results": [match.to_dict() for match in matches]})
    else:
        console().print(matches_table(f"Similar to {begin.caption}", _any(matches)))


def recommend(
    shop: options.ShopPath,
    product: query_source.Product = None,
    photo: query_source.Photo = None,
    code: query_source.Code = None,
    random: query_source.Random = False,
    seed: query_source.RandomSeed = None,
    k: Annotated[int, typer.Option("-k", "--k", metavar="K", help="How many products of each cluster.")] = 3,
    method: Annotated[
        str,
        typer.Option(
            metavar="transport|shift|likelihood|fixed-epsilon|mean",
            help="The way to another cluster: optimal transport, or the paper's shift of centres; "
            "or how nearness is measured; or both, as shift:mean.",
        ),
    ] = "transport",
    metric: Metric = "euclidean",
    tau: Tau = None,
    where: Where = None,
    sheet: SheetFile = None,
    json: options.JsonOutput = False,
) -> None:
    """What goes with a product, a photo, a code or a random design, from each other cluster.

    \b
    modiste recommend --shop my-shop --product 1163
    modiste recommend --shop my-shop --random --seed 7 -k 5 --sheet goes-with.png
    modiste recommend --shop my-shop --product 1163 --method shift --json
    """
    from modiste.cli.output import console, matches_table, print_json
    from modiste.shop.contact_sheets import check_image_suffix, recommend_sheet, save_image
    from modiste.shop.filters import parse_filter

    begin = query_source.QuerySource(product, photo, code, random, seed)
    opened = _open_shop(shop, begin)
    if sheet is not None:
        check_image_suffix(sheet)
    design = begin.code(opened)
    answer = opened.recommend(
        design, k, method, metric=_any(metric), tau=tau, exclude=begin.excluded_ids, where=parse_filter(where or ())
    )
    if sheet is not None:
        picture = begin.picture(opened, design)
        save_image(sheet, recommend_sheet(picture, (begin.caption, method), _any(answer)))
    if json:
        recommendations = [each.to_dict() for each in answer]
        print_json({"query": _query_json(opened, design), "recommendations": recommendations})
        return
    for each in answer:
        console().print(matches_table(f"{each.label} (cluster {each.cluster})", each.matches))


def info(shop: options.ShopPath, json: options.JsonOutput = False) -> None:
    """What the shop holds, and what was built from what.

    \b
    modiste info --shop my-shop
    """
    from modiste.cli.output import console, print_json
    from modiste.shop.info import describe_shop

    held = describe_shop(shop)
    if json:
        print_json(held)
        return
    table = Table(title=str(shop), title_justify="left", show_header=False)
    for name, value in held.items():
        text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name, text)
    console().print(table)


def _open_shop(path: str, begin: query_source.QuerySource) -> Shop:
    from modiste.shop.shop import Shop

    begin.validate()
    return Shop.open(path)


def _query_json(shop: Shop, design: Any) -> dict[str, Any]:
    return {"code": design.tolist(), "cluster": shop.cluster_of(design)}


def _any(value: Any) -> Any:
    """A value whose type the command line cannot know; Shop checks it."""
    return value
