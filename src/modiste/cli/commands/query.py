"""Commands that query a shop: generate, similar, recommend, info."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from modiste import choices
from modiste.cli import options
from modiste.cli.output import make_table, matches_table, print_result
from modiste.cli.query_source import QuerySource

if TYPE_CHECKING:
    from modiste.shop.shop import Shop


@dataclass(frozen=True)
class SearchOptions:
    """Options of a search."""

    metric: Annotated[choices.Metric, Option(help="Distance, for the methods fixed-epsilon and mean.")] = "euclidean"
    tau: Annotated[
        float | None,
        Option(metavar="T", help="Uncertainty of the query's code in the likelihood.", show_default="the shop's"),
    ] = None
    where: Annotated[
        list[str] | None,
        Option(
            metavar="FILTER",
            help="Filter by an attribute: name=value,value or name!=value, name>=number or name<=number; or a JSON "
            "filter with any, all and not. Repeat the option to combine filters: a product must match all of them.",
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for `Shop.similar` and `Shop.recommend`. Raises BadOption."""
        from modiste.shop.filters import parse_filter

        return {"metric": self.metric, "tau": self.tau, "where": parse_filter(self.where or ())}


def generate(
    shop: options.ShopPath,
    out: Annotated[
        Path, Option(metavar="FILE.png", callback=options.check_suffix, help="Image to write: .png, .jpg or .webp.")
    ],
    source: QuerySource,
    details: Annotated[
        str,
        Option(
            metavar="auto|none|ID|FILE",
            help="Whose details to draw: those of a product, by its id; of a photo, by its file; none; or auto, those "
            "of the product or photo that the design starts from, else of a near product.",
        ),
    ] = "auto",
    json: options.JsonOutput = False,
) -> None:
    """Draw a design: a product, a photo, a code or a random code, with the details of a real product.

    Examples:
      modiste generate --shop my-shop --random --seed 7 --out design.png
      modiste generate --shop my-shop --random --seed 7 --details 1163 --out borrowed.png
      modiste generate --shop my-shop --product 1163 --details none --out decoder.png
    """
    from PIL import Image

    from modiste.drawing.xmp import xmp_packet
    from modiste.shop.contact_sheets import save_image
    from modiste.shop.shop import Shop

    exemplar = _exemplar(details, source)
    if isinstance(exemplar, str) and exemplar == "auto":
        need = "clusters"  # the nearest products are searched for
    else:
        need = "encodings" if source.product is not None or source.is_random or isinstance(exemplar, str) else "model"
    opened = Shop.open(shop, need=need)
    design = source.code(opened)
    xmp = xmp_packet(opened.model.model_id, has_details=exemplar is not None)
    save_image(out, Image.fromarray(opened.draw(design, exemplar)), xmp)
    print_result({"code": design.tolist(), "out": str(out)}, f"Wrote {out}.", as_json=json)


def _exemplar(details: str, source: QuerySource) -> Any:
    """Return the exemplar of `--details`: an id, a photo, "auto" or None."""
    if details == "none":
        return None
    if details == "auto":
        return source.product if source.product is not None else source.photo if source.photo is not None else "auto"
    if Path(details).is_file():
        from modiste.images.photo import read_photo

        return read_photo(Path(details))
    return details


def similar(
    shop: options.ShopPath,
    source: QuerySource,
    k: Annotated[int, Option("-k", "--k", metavar="K", help="Number of products.")] = 10,
    method: Annotated[
        choices.Method, Option(help="How products are scored: by likelihood, or by the distance of codes or means.")
    ] = "likelihood",
    scope: Annotated[choices.Scope, Option(help="Search the query's cluster, or the whole catalogue.")] = "cluster",
    search: SearchOptions = SearchOptions(),
    sheet: options.Sheet = None,
    json: options.JsonOutput = False,
) -> None:
    """Find the products most similar to a product, a photo, a code or a random design.

    Examples:
      modiste similar --shop my-shop --product 1163
      modiste similar --shop my-shop --photo shoe.jpg -k 20 --method fixed-epsilon --scope catalogue
      modiste similar --shop my-shop --random --seed 7 --sheet similar.png
      modiste similar --shop my-shop --product 1163 --where base_colour=Red,Maroon --where 'year>=2012'
    """
    from modiste.shop.contact_sheets import save_image, sheet_mark, similar_sheet
    from modiste.shop.shop import Shop

    opened = Shop.open(shop)
    design = source.code(opened)
    matches: Any = opened.similar(design, k, method, scope, exclude=source.excluded_ids, **search.arguments())
    if sheet is not None:
        picture, caption = source.picture(opened, design), (source.caption, f"{method}, {scope}")
        save_image(sheet, similar_sheet(picture, caption, matches), sheet_mark(opened) if source.is_drawn else b"")
    result = {"query": _query_json(opened, design), "results": [match.to_dict() for match in matches]}
    print_result(result, matches_table(f"Similar to {source.caption}", matches), as_json=json)


def recommend(
    shop: options.ShopPath,
    source: QuerySource,
    k: Annotated[int, Option("-k", "--k", metavar="K", help="Number of products of each cluster.")] = 3,
    method: Annotated[
        choices.RecommendMethod,
        Option(
            metavar="METHOD",
            help="How to move the code to another cluster: transport (optimal transport) or shift (the paper's shift "
            "of centres); or how products are scored: likelihood, fixed-epsilon or mean; or both, such as shift:mean.",
        ),
    ] = "transport",
    search: SearchOptions = SearchOptions(),
    sheet: options.Sheet = None,
    json: options.JsonOutput = False,
) -> None:
    """Recommend products that match a product, a photo, a code or a random design, from each other cluster.

    Examples:
      modiste recommend --shop my-shop --product 1163
      modiste recommend --shop my-shop --random --seed 7 -k 5 --sheet goes-with.png
      modiste recommend --shop my-shop --product 1163 --method shift --json
    """
    from modiste.shop.contact_sheets import recommend_sheet, save_image, sheet_mark
    from modiste.shop.shop import Shop

    opened = Shop.open(shop)
    design = source.code(opened)
    answer: Any = opened.recommend(design, k, method, exclude=source.excluded_ids, **search.arguments())
    if sheet is not None:
        picture, caption = source.picture(opened, design), (source.caption, method)
        save_image(sheet, recommend_sheet(picture, caption, answer), sheet_mark(opened) if source.is_drawn else b"")
    result = {"query": _query_json(opened, design), "recommendations": [each.to_dict() for each in answer]}
    tables = (matches_table(f"{each.label} (cluster {each.cluster})", each.matches) for each in answer)
    print_result(result, *tables, as_json=json)


def info(shop: options.ShopPath, json: options.JsonOutput = False) -> None:
    """Show what a shop contains, and which of its stages are ready.

    Examples:
      modiste info --shop my-shop
    """
    from modiste.shop.info import describe_shop

    result = describe_shop(shop)
    rows = (
        (name, ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value)
        for name, value in result.items()
    )
    print_result(result, make_table(shop, ("", ""), rows), as_json=json)


def _query_json(shop: Shop, design: Any) -> dict[str, Any]:
    return {"code": design.tolist(), "cluster": shop.cluster_of(design)}
