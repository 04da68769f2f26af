"""Contact sheets: a query and its results as one image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from modiste.drawing.xmp import xmp_packet
from modiste.errors import BadOption
from modiste.images.photo import xmp_options
from modiste.shop.results import Match, Matches, Recommendations
from modiste.shop.shop import Shop
from modiste.storage.atomic import write_file

GAP_PX = 12
CELL_WIDTH_PX = 150
CAPTION_LINES = 3
STRIP_WIDTH_PX = 90
LINE_HEIGHT_PX = 15
TEXT_COLOUR, CAPTION_COLOUR, BORDER_COLOUR = (30, 30, 30), (110, 110, 110), (222, 222, 222)
SLIDER_STEPS = 7  # pictures along a slider
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont
Cell = tuple[NDArray[np.uint8], tuple[str, ...]]


def similar_sheet(query: NDArray[np.uint8], caption: Sequence[str], matches: Matches) -> Image.Image:
    """Draw the query's photo, uint8 `(H, W, 3)`, with its caption, then the matches, five to a row."""
    cells = [_match_cell(match) for match in matches]
    rows = [cells[start : start + 5] for start in range(0, len(cells), 5)]
    return _draw_sheet((query, tuple(caption)), [("", row) for row in rows])


def recommend_sheet(query: NDArray[np.uint8], caption: Sequence[str], recommendations: Recommendations) -> Image.Image:
    """Draw the query's photo with its caption, then a row for each other cluster."""
    rows = [(each.label, [_match_cell(match) for match in each.matches]) for each in recommendations]
    return _draw_sheet((query, tuple(caption)), rows)


def slider_sheet(shop: Shop) -> Image.Image:
    """Draw a row for each slider, latents first: a product unchanged, then along the slider from end to end.

    The pictures have the product's details.
    """
    product_id = shop.catalogue.ids[np.random.default_rng(0).integers(len(shop.catalogue))]
    start = shop.code_of(product_id)
    steps = SLIDER_STEPS
    names, sweeps = list[str](), list[NDArray[np.float32]]()
    for each in shop.sliders.latents:
        sweep = np.repeat(start[None], steps, axis=0)
        sweep[:, each.latent] = np.linspace(each.minimum, each.maximum, steps)
        names.append(f"{each.latent}: {each.low} – {each.high}")  # the font has no arrow
        sweeps.append(sweep)
    for each in shop.sliders.attributes:
        direction = np.array(each.direction)
        offsets = np.linspace(each.minimum, each.maximum, steps) - float(start @ direction)
        names.append(each.name)
        sweeps.append((start + offsets[:, None] * direction).astype(np.float32))
    pictures = [
        _scaled(photo, STRIP_WIDTH_PX) for photo in shop.draw(np.concatenate([start[None], *sweeps]), product_id)
    ]
    height, left, step = pictures[0].height, 2 * CELL_WIDTH_PX, STRIP_WIDTH_PX + 4
    sheet = _blank_sheet(left + (steps + 1) * step + GAP_PX, GAP_PX + len(sweeps) * (height + 4))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for row, name in enumerate(names):
        top = GAP_PX + row * (height + 4)
        middle = top + height // 2 - LINE_HEIGHT_PX // 2
        draw.text((GAP_PX, middle), _shorten(name, font, left - GAP_PX), TEXT_COLOUR, font)
        sheet.paste(pictures[0], (left, top))
        for column in range(1, steps + 1):
            sheet.paste(pictures[row * steps + column], (left + column * step + GAP_PX, top))
    return sheet


def quality_sheet(shop: Shop, ids: Sequence[str]) -> Image.Image:
    """Draw a row for each product: its photo, its reconstruction, the nearest products, and what goes with it."""
    lines: list[list[list[Image.Image]]] = []
    for id_ in ids:
        code = shop.code_of(id_)
        mean = shop.encodings.mean[shop.catalogue.row(id_)]
        similar: Matches = Matches(shop.similar(code, 3, "fixed-epsilon", exclude=(id_,)))
        recommendations: Recommendations = Recommendations(shop.recommend(code, 1))
        goes_with = [match.photo() for each in recommendations for match in each.matches]
        photos = [[shop.photo(id_)], [shop.decode(mean)], [match.photo() for match in similar], goes_with]
        lines.append([[_scaled(photo, STRIP_WIDTH_PX) for photo in part] for part in photos])
    widths = [max(len(line[part]) for line in lines) for part in range(4)]
    titles = ("photo", "reconstruction", "nearest", "goes with it")
    step, line_height = STRIP_WIDTH_PX + 4, lines[0][0][0].height + 4
    lefts = [GAP_PX + sum(widths[:part]) * step + 2 * GAP_PX * part for part in range(4)]
    top = GAP_PX + LINE_HEIGHT_PX + 6
    sheet = _blank_sheet(lefts[3] + widths[3] * step + GAP_PX, top + len(lines) * line_height + GAP_PX)
    draw, bold = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for left, title in zip(lefts, titles, strict=True):
        draw.text((left, GAP_PX), _shorten(title, bold, 2 * CELL_WIDTH_PX), TEXT_COLOUR, bold)
    for number, line in enumerate(lines):
        for left, pictures in zip(lefts, line, strict=True):
            for column, picture in enumerate(pictures):
                sheet.paste(picture, (left + column * step, top + number * line_height))
    return sheet


def sheet_mark(shop: Shop) -> bytes:
    """Return the XMP of a sheet that has drawings among its pictures."""
    return xmp_packet(shop.model.model_id, has_details=True)


def save_image(path: Path, image: Image.Image, xmp: bytes = b"") -> None:
    """Write an image in the format of its suffix with XMP metadata, atomically. Raises BadOption, StorageError."""
    check_image_suffix(path)
    data = io.BytesIO()
    format = FORMATS[path.suffix.lower()]
    image.save(data, format, **xmp_options(format, xmp))
    write_file(path, data.getvalue())


def check_image_suffix(path: Path) -> None:
    """Raise BadOption unless the suffix is that of a supported image format."""
    if path.suffix.lower() not in FORMATS:
        raise BadOption(f"{path.name!r} does not end in an image format.", remedy=f"Use one of {', '.join(FORMATS)}.")


def _match_cell(match: Match) -> Cell:
    words = [str(match.attributes[name]) for name in ("base_colour", "article_type") if name in match.attributes]
    return match.photo(), (match.id, " ".join(words) or match.category, f"{match.score:.3g}")


def _draw_sheet(query: Cell, rows: Sequence[tuple[str, Sequence[Cell]]]) -> Image.Image:
    height, width = query[0].shape[:2]
    cell_height = max(1, round(CELL_WIDTH_PX * height / width)) + CAPTION_LINES * LINE_HEIGHT_PX + 4
    titled = LINE_HEIGHT_PX + 6 if any(title for title, _ in rows) else 0
    columns = max([1, *(len(cells) for _, cells in rows)])
    left = CELL_WIDTH_PX + 3 * GAP_PX  # the query is set apart
    row_height = cell_height + titled + GAP_PX
    sheet = _blank_sheet(left + columns * (CELL_WIDTH_PX + GAP_PX), GAP_PX + max(1, len(rows)) * row_height)
    draw = ImageDraw.Draw(sheet)
    bold, font = ImageFont.load_default(14), ImageFont.load_default(12)
    _draw_cell(sheet, draw, font, query, GAP_PX, GAP_PX + titled)
    for number, (title, cells) in enumerate(rows):
        top = GAP_PX + number * row_height
        if title:
            draw.text((left, top), title, TEXT_COLOUR, bold)
        for column, cell in enumerate(cells):
            _draw_cell(sheet, draw, font, cell, left + column * (CELL_WIDTH_PX + GAP_PX), top + titled)
    draw.line((left - GAP_PX, GAP_PX, left - GAP_PX, sheet.height - GAP_PX), BORDER_COLOUR)
    return sheet


def _draw_cell(sheet: Image.Image, draw: ImageDraw.ImageDraw, font: Font, cell: Cell, x: int, y: int) -> None:
    pixels, lines = cell
    picture = _scaled(pixels, CELL_WIDTH_PX)
    sheet.paste(picture, (x, y))
    draw.rectangle((x, y, x + CELL_WIDTH_PX - 1, y + picture.height - 1), outline=BORDER_COLOUR)
    for number, line in enumerate(lines[:CAPTION_LINES]):
        top = y + picture.height + 3 + number * LINE_HEIGHT_PX
        draw.text((x, top), _shorten(line, font), TEXT_COLOUR if number == 0 else CAPTION_COLOUR, font)


def _scaled(photo: NDArray[np.uint8], width: int) -> Image.Image:
    """Scale a photo, uint8 `(H, W, 3)`, to a width."""
    height = max(1, round(width * photo.shape[0] / photo.shape[1]))
    return Image.fromarray(photo).resize((width, height), Image.Resampling.LANCZOS)


def _blank_sheet(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (255, 255, 255))


def _shorten(text: str, font: Font, width: float = CELL_WIDTH_PX) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
