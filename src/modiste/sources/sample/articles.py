"""Article types with their materials and colours, and the drawing of one product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from modiste.sources.record import AttributeValue, Record
from modiste.sources.sample.bags import backpacks, handbags, totes
from modiste.sources.sample.canvas import Canvas
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.eyewear import draw_style
from modiste.sources.sample.palette import pick_colour
from modiste.sources.sample.rng import SeededRandom
from modiste.sources.sample.shoes import boots, loafers, pumps, sandals, sneakers


@dataclass(frozen=True)
class Article:
    """Article type: how to draw it, its share of its category, the weights of its materials, its colour palette."""

    draw: Callable[[Drawing], None]
    share: float
    materials: dict[str, float]
    palette: str


CATEGORIES: dict[str, dict[str, Article]] = {
    "footwear": {
        "Sneakers": Article(sneakers.draw_sneakers, 28, {"Canvas": 4, "Leather": 4, "Mesh": 4, "Suede": 2}, "bright"),
        "Boots": Article(boots.draw_boots, 16, {"Leather": 5, "Suede": 3, "Patent": 1}, "leather"),
        "Heels": Article(pumps.draw_heels, 17, {"Leather": 3, "Suede": 3, "Patent": 4}, "dressy"),
        "Sandals": Article(sandals.draw_sandals, 13, {"Leather": 5, "Suede": 2, "Patent": 1}, "dressy"),
        "Loafers": Article(loafers.draw_loafers, 12, {"Leather": 5, "Suede": 3, "Patent": 1}, "leather"),
        "Flats": Article(pumps.draw_flats, 7, {"Leather": 4, "Suede": 2, "Patent": 2}, "dressy"),
        "Flip Flops": Article(sandals.draw_flip_flops, 7, {"Rubber": 1}, "bright"),
    },
    "bags": {
        "Totes": Article(totes.draw_totes, 24, {"Canvas": 5, "Leather": 4, "Suede": 1}, "bright"),
        "Handbags": Article(handbags.draw_handbags, 26, {"Leather": 6, "Suede": 2, "Patent": 2}, "dressy"),
        "Backpacks": Article(backpacks.draw_backpacks, 18, {"Canvas": 5, "Mesh": 1, "Leather": 2}, "bright"),
        "Clutches": Article(handbags.draw_clutches, 14, {"Leather": 4, "Suede": 2, "Patent": 4}, "dressy"),
        "Shoulder Bags": Article(totes.draw_shoulder_bags, 12, {"Leather": 6, "Suede": 3, "Canvas": 1}, "leather"),
        "Duffel Bags": Article(backpacks.draw_duffels, 6, {"Canvas": 5, "Leather": 2}, "bright"),
    },
    "eyewear": {
        "Wayfarers": Article(draw_style("Wayfarers"), 26, {"Acetate": 1}, "acetate"),
        "Aviators": Article(draw_style("Aviators"), 24, {"Metal": 1}, "metal"),
        "Round Glasses": Article(draw_style("Round Glasses"), 16, {"Metal": 3, "Acetate": 2}, "metal"),
        "Cat-eye Glasses": Article(draw_style("Cat-eye Glasses"), 14, {"Acetate": 1}, "acetate"),
        "Rectangular Glasses": Article(draw_style("Rectangular Glasses"), 14, {"Acetate": 1}, "acetate"),
        "Sports Glasses": Article(draw_style("Sports Glasses"), 6, {"Acetate": 1}, "acetate"),
    },
}
CATEGORY_BLOCK = ("footwear",) * 11 + ("bags",) * 6 + ("eyewear",) * 3
"""Every twenty consecutive products have these categories, shuffled: 55, 30 and 15 per cent."""

_PRODUCT_LINES = (
    "Alder", "Brio", "Cove", "Dune", "Ember", "Fjord", "Grove", "Harbor", "Indigo", "Juno", "Kite", "Lark",
    "Mesa", "Nova", "Opal", "Pine", "Quill", "Rove", "Sol", "Tide", "Umber", "Vale", "Wren", "Zephyr",
)  # fmt: skip


def pick_category(seed: int, index: int) -> str:
    """Return the category of the product at `index`, from 0."""
    block = SeededRandom("block", seed, index // len(CATEGORY_BLOCK)).shuffled(CATEGORY_BLOCK)
    return block[index % len(CATEGORY_BLOCK)]


def draw_product(seed: int, index: int, size: tuple[int, int]) -> tuple[Drawing, Record]:
    """Draw product `index` (from 0) of the catalogue of `seed` at `size` = (height, width); return drawing and record.

    The record depends on these three only; its photo is a PNG, so that its pixels survive.
    """
    category = pick_category(seed, index)
    articles = CATEGORIES[category]
    dice = SeededRandom("product", seed, index)
    article_type = dice.weighted_choice({name: article.share for name, article in articles.items()})
    article = articles[article_type]
    colour_name, colour = pick_colour(dice, article.palette)
    material = dice.weighted_choice(article.materials)
    line = dice.choice(_PRODUCT_LINES)
    drawing = Drawing(dice, Canvas(*size, seed=seed * 1_000_003 + index), colour_name, colour, material)
    article.draw(drawing)
    height, width = drawing.canvas.extent()
    attributes: dict[str, AttributeValue] = {
        "name": f"{line} {colour_name} {material} {article_type}",
        "article_type": article_type,
        "base_colour": colour_name,
        "material": material,
        "pattern": drawing.pattern,
        "hue": round(colour.hue, 1),
        "lightness": round(colour.lightness, 4),
        "saturation": round(colour.saturation, 4),
        "height": round(height, 4),
        "width": round(width, 4),
        **drawing.attributes,
    }
    buffer = BytesIO()
    Image.fromarray(drawing.canvas.pixels()).save(buffer, "PNG", compress_level=1)
    return drawing, Record(f"sample-{index + 1:05d}", category, buffer.getvalue(), attributes)
