"""Drawing of one product: random numbers, canvas, colours, and the attributes recorded for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from modiste.sources.record import AttributeValue
from modiste.sources.sample.canvas import Canvas, Finish
from modiste.sources.sample.curves import Contour, dashes
from modiste.sources.sample.palette import Colour, pick_contrast
from modiste.sources.sample.patterns import PLAIN, pattern_mask, pick_pattern, quilt_mask
from modiste.sources.sample.raster import Field
from modiste.sources.sample.rng import SeededRandom

MATERIALS: dict[str, Finish] = {
    "Leather": Finish(gloss=0.30, grain=0.05),
    "Patent": Finish(gloss=0.75, grain=0.0),
    "Suede": Finish(gloss=0.0, grain=0.09, depth=0.85),
    "Canvas": Finish(gloss=0.02, grain=0.12, weave=True, depth=0.8),
    "Mesh": Finish(gloss=0.05, grain=0.17, weave=True, depth=0.9),
    "Rubber": Finish(gloss=0.18, grain=0.02),
    "Acetate": Finish(gloss=0.65),
    "Metal": Finish(gloss=0.8),
}


@dataclass
class Drawing:
    """A product while it is drawn."""

    rng: SeededRandom
    canvas: Canvas
    colour_name: str
    colour: Colour
    material: str
    pattern: str = PLAIN
    pattern_size: float = 0.0
    second_colour: Colour | None = None
    attributes: dict[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])

    @property
    def finish(self) -> Finish:
        """Finish of its main material."""
        return MATERIALS[self.material]

    def choose_pattern(self, share: float) -> None:
        """Choose plain, or, for `share` of the products, a pattern in a second colour."""
        self.pattern, self.pattern_size = pick_pattern(self.rng, share)
        if self.pattern != PLAIN:
            self.second_colour = pick_contrast(self.rng, self.colour)

    def paint_body(
        self, shape: Contour | list[Contour], finish: Finish | None = None, *, within: Field | None = None
    ) -> Field:
        """Paint a part in the main colour, material and pattern, and return its mask."""
        field_of = None
        if self.second_colour is not None:
            outlines = shape if isinstance(shape, list) else [shape]
            top = min(float(outline[:, 1].min()) for outline in outlines)
            bottom = max(float(outline[:, 1].max()) for outline in outlines)
            field_of = pattern_mask(self.canvas, self.pattern, self.pattern_size, (top, bottom))
        return self.canvas.paint(
            shape, self.colour, finish or self.finish, within=within, second_colour=self.second_colour, pattern=field_of
        )

    def stitch(self, line: Contour, length: float, gap: float, width: float, within: Field | None = None) -> None:
        """Draw a seam along `line`, in thread lighter than the material, or darker where that is light."""
        thread = self.colour.shade(0.45 if self.colour.lightness < 0.6 else -0.3)
        finish = Finish(round=1, gloss=0, rim=0.2, cast=0.25, opacity=0.8)
        self.canvas.paint(dashes(line, length, gap, width), thread, finish, within=within)

    def quilt(self, size: float, within: Field) -> None:
        """Draw the seams of a quilt on a part."""
        seams = quilt_mask(self.canvas, size)
        self.canvas.adjust_lightness(seams, -0.35, soft=1, within=within)
