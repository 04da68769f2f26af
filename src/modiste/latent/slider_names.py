"""Slider names: how each latent changes the picture, and the two words for its ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from modiste.images.measurements import MEASUREMENT_NAMES, measure_photos
from modiste.latent.sliders import LatentSlider

Decode = Callable[[NDArray[np.float32]], NDArray[np.uint8]]
Nearest = Callable[[NDArray[np.float32]], NDArray[np.intp]]
Effects = dict[str, float]
EndWords = tuple[str, str]
MEASUREMENT_WORDS: dict[str, EndWords] = {
    "lightness": ("darker", "lighter"),
    "saturation": ("greyer", "more colourful"),
    "warmth": ("cooler", "warmer"),
    "pinkness": ("greener", "pinker"),
    "contrast": ("softer", "more contrast"),
    "shade": ("darker top", "darker bottom"),
    "side": ("darker left", "darker right"),
    "height": ("shorter", "taller"),
    "width": ("narrower", "wider"),
    "area": ("smaller", "larger"),
    "aspect": ("flatter", "more upright"),
    "fill": ("more open", "more solid"),
    "balance": ("fuller top", "fuller bottom"),
    "lean": ("fuller left", "fuller right"),
    "edges": ("plainer", "busier"),
}  # hue is circular and has no two ends
# Where something changes in the picture is less informative than what changes.
MEASUREMENT_WEIGHTS: dict[str, float] = {
    **dict.fromkeys(("shade", "side", "balance", "lean"), 0.5),
    **dict.fromkeys(("fill", "contrast", "pinkness"), 0.8),
}
MIN_COLOUR_SPREAD = 0.04  # where all products are alike, a hint of colour is not enough for a name
COLOUR_MEASUREMENTS = ("lightness", "saturation", "warmth", "pinkness", "contrast", "shade", "side")
DEFAULT_ENDS: EndWords = ("less", "more")
CLEAR_EFFECT = 0.5  # of a measurement's spread over the catalogue: enough for a name of its own
SLIGHT_EFFECT = 0.2  # enough for one of two words
MIN_KIND_CONTRAST = 0.3  # of the products nearby that change their kind from end to end: enough for a name


def slider_ranges(means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 1st and 99th percentile of each latent over the catalogue: `(n, 2)` for `(N, n)`."""
    return np.percentile(means, [1, 99], axis=0).T.astype(np.float32)


def kl_per_latent(mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return KL(q(z|x) ‖ N(0, 1)) of each latent in nats, averaged over the catalogue: `(n,)` for `(N, n)` each.

    ½ (μ² + σ² − 1 − log σ²): the information in the latent; near 0, it has no effect.
    """
    variance = np.square(std, dtype=np.float64)
    return (0.5 * (np.square(mean, dtype=np.float64) + variance - 1.0 - np.log(variance))).mean(axis=0)


def order_by_kl(mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the latents, `(n,)`, by the information they carry, most first."""
    return np.argsort(-kl_per_latent(mean, std), kind="stable")


def name_latents(
    decode: Decode,
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    *,
    kinds: Mapping[str, Sequence[str | None]] | None = None,
    nearest: Nearest | None = None,
    samples: int = 24,
    seed: int = 0,
    on_latent: Callable[[int], None] | None = None,
) -> tuple[LatentSlider, ...]:
    """Return a slider for each latent, most informative first, named by its effect on the decoded picture.

    Some products are decoded with the latent at either end of its range and the others unchanged. The change of every
    measurement, in standard deviations over the catalogue's pictures, is the latent's effect. `choose_names` chooses
    the names from that.

    Args:
        decode: codes `(b, n)` to photos `(b, H, W, 3)`.
        mean: means of the catalogue's posteriors, `(N, n)`.
        std: their standard deviations, `(N, n)`.
        kinds: words by attribute, `N` of each, None where unknown.
        nearest: codes `(b, n)` to the rows of the products nearest to each, `(b, k)`; needed for kinds.
        samples: number of products that are decoded.
        seed: seed of their choice.
        on_latent: called with the number of latents done so far.
    """
    ranges, kl = slider_ranges(mean), kl_per_latent(mean, std)
    random = np.random.default_rng(seed)
    bases = mean[random.choice(len(mean), min(samples, len(mean)), replace=False)]
    unmoved = measure_photos(decode(bases))
    order = order_by_kl(mean, std).tolist()
    effects: list[Effects] = []
    contrasts: list[tuple[float, EndWords]] = []
    for latent in order:
        ends = np.stack([bases, bases])
        ends[:, :, latent] = ranges[latent][:, None]
        low, high = (measure_photos(decode(each)) for each in ends)
        effects.append(
            {name: _measure_effect(name, low[name], high[name], unmoved[name]) for name in MEASUREMENT_NAMES}
        )
        if kinds and nearest is not None:
            contrasts.append(_kind_contrast(kinds, nearest(ends[0]), nearest(ends[1])))
        else:
            contrasts.append((0.0, DEFAULT_ENDS))
        if on_latent is not None:
            on_latent(len(effects))
    names = choose_names(effects, contrasts)
    return tuple(
        LatentSlider(
            latent, *names[i], float(ranges[latent, 0]), float(ranges[latent, 1]), float(kl[latent]), effects[i]
        )
        for i, latent in enumerate(order)
    )


def choose_names(effects: Sequence[Effects], contrasts: Sequence[tuple[float, EndWords]]) -> list[EndWords]:
    """Choose a two-ended name for each latent, all different except for latents without effect.

    The strongest effect of all names its latent, then the strongest effect left, as long as it is clear and its latent
    has no effect twice as strong. A latent whose measurements are taken is named by the kinds of product at its ends;
    or else by its two strongest effects, slight ones included; or by a slight one that is not taken. The remaining
    latents are ("less", "more").

    Args:
        effects: by measurement, in standard deviations, for each latent.
        contrasts: for each latent, the share of nearby products that change their kind from end to end, and the kinds.
    """
    names: dict[int, EndWords] = {}
    taken: set[frozenset[str]] = set()

    def give(latent: int, ends: EndWords) -> None:
        if latent not in names and frozenset(ends) not in taken:
            names[latent] = ends
            taken.add(frozenset(ends))

    ranked = sorted(
        (
            (MEASUREMENT_WEIGHTS.get(name, 1.0) * abs(each[name]), i, name)
            for i, each in enumerate(effects)
            for name in MEASUREMENT_WORDS
            if name in each
        ),
        key=lambda pick: (-pick[0], pick[1]),
    )
    strongest = [max((size for size, i, _ in ranked if i == latent), default=0.0) for latent in range(len(effects))]
    for size, latent, name in ranked:
        if size >= max(CLEAR_EFFECT, 0.5 * strongest[latent]):
            give(latent, _oriented_words(name, effects[latent]))
    for latent, (share, ends) in enumerate(contrasts):
        if share >= MIN_KIND_CONTRAST:
            give(latent, ends)
    for size, latent, name in ranked:
        companions = [pick for pick in ranked if pick[1] == latent and pick[2] != name and pick[0] >= SLIGHT_EFFECT]
        if size >= SLIGHT_EFFECT:
            for _, _, companion in companions:
                first, second = (_oriented_words(name, effects[latent]), _oriented_words(companion, effects[latent]))
                give(latent, (f"{first[0]}, {second[0]}", f"{first[1]}, {second[1]}"))
            give(latent, _oriented_words(name, effects[latent]))
    return [names.get(latent, DEFAULT_ENDS) for latent in range(len(effects))]


def _oriented_words(name: str, effects: Effects) -> EndWords:
    low, high = MEASUREMENT_WORDS[name]
    return (low, high) if effects[name] >= 0 else (high, low)


def _measure_effect(
    name: str, low: NDArray[np.float64], high: NDArray[np.float64], reference: NDArray[np.float64]
) -> float:
    """Return the mean change from end to end in standard deviations; of hue, in degrees the short way round."""
    change = high - low
    if name == "hue":
        mean_phase = np.exp(1j * np.radians(change)).mean()
        return float(np.degrees(np.angle(mean_phase)))
    return float(change.mean() / measurement_spread(name, reference))


def measurement_spread(name: str, reference: NDArray[np.float64]) -> float:
    """Return a measurement's standard deviation over some pictures, but at least the smallest visible change."""
    return max(float(reference.std()), MIN_COLOUR_SPREAD if name in COLOUR_MEASUREMENTS else 0.01)


def _kind_contrast(
    kinds: Mapping[str, Sequence[str | None]], low: NDArray[np.intp], high: NDArray[np.intp]
) -> tuple[float, EndWords]:
    """Return the words that most distinguish the products near the two ends, and the share that changes."""
    best: tuple[float, EndWords] = (0.0, DEFAULT_ENDS)
    for words in kinds.values():
        counts: dict[str, float] = {}
        for rows, sign in ((low, -1.0), (high, 1.0)):
            for row in rows.ravel().tolist():
                word = words[row]
                if word is not None:
                    counts[word] = counts.get(word, 0.0) + sign / rows.size
        if len(counts) < 2:
            continue
        lowest, highest = min(counts, key=lambda w: (counts[w], w)), max(counts, key=lambda w: (counts[w], w))
        share = (counts[highest] - counts[lowest]) / 2.0
        if share > best[0] and counts[lowest] < 0 < counts[highest]:
            best = (share, (lowest, highest))
    return best
