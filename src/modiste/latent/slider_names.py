"""What the latents mean: how each moves the picture, and the two words that say so."""

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
}  # hue goes round and has no two ends
# Where in the picture something changes says less to a person than what changes.
MEASUREMENT_WEIGHTS: dict[str, float] = {
    **dict.fromkeys(("shade", "side", "balance", "lean"), 0.5),
    **dict.fromkeys(("fill", "contrast", "pinkness"), 0.8),
}
# The least spread that colours are measured against: where all products are alike, a hint is no name.
MIN_COLOUR_SPREAD = 0.04
COLOUR_MEASUREMENTS = ("lightness", "saturation", "warmth", "pinkness", "contrast", "shade", "side")
DEFAULT_ENDS: EndWords = ("less", "more")
CLEAR_EFFECT = 0.5  # of a measure's spread over the catalogue: enough for a name of its own
SLIGHT_EFFECT = 0.2  # enough for one of two words
MIN_KIND_CONTRAST = 0.3  # of the products nearby change their kind from end to end: enough for a name


def slider_ranges(means: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the 1st to the 99th percentile of each latent over the catalogue: `(n, 2)` for `(N, n)`."""
    return np.percentile(means, [1, 99], axis=0).T.astype(np.float32)


def kl_per_latent(mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.float64]:
    """KL(q(z|x) ‖ N(0, 1)) of each latent in nats, averaged over the catalogue: `(n,)` for `(N, n)` each.

    ½ (μ² + σ² − 1 − log σ²): what the model spends on the latent; near 0, it does nothing.
    """
    variance = np.square(std, dtype=np.float64)
    return (0.5 * (np.square(mean, dtype=np.float64) + variance - 1.0 - np.log(variance))).mean(axis=0)


def order_by_kl(mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.intp]:
    """The latents, `(n,)`, those that matter most first."""
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
    """A slider for each latent, those that matter most first, named by what it does to the decoded picture.

    Some products are decoded with the latent at either end of its range and all else as it is. The change of every
    measure, in standard deviations of that measure over the catalogue's pictures, is the latent's effect. How the
    names are chosen from that, see `choose_names`.

    Args:
        decode: codes `(b, n)` to photos `(b, H, W, 3)`.
        mean, std: of the catalogue's posteriors, `(N, n)` each.
        kinds: words by attribute, `N` of each, None where unknown.
        nearest: codes `(b, n)` to the rows of the products nearest to each, `(b, k)`; needed for kinds.
        bases: how many products are tried.
        on_latent: told how many latents are done.
    """
    ranges, kl = slider_ranges(mean), kl_per_latent(mean, std)
    random = np.random.default_rng(seed)
    start = mean[random.choice(len(mean), min(samples, len(mean)), replace=False)]
    plain = measure_photos(decode(start))
    order = order_by_kl(mean, std).tolist()
    effects: list[Effects] = []
    contrasts: list[tuple[float, EndWords]] = []
    for latent in order:
        moved = np.stack([start, start])
        moved[:, :, latent] = ranges[latent][:, None]
        low, high = (measure_photos(decode(each)) for each in moved)
        effects.append(
            {name: _measure_effect(name, low[name], high[name], plain[name]) for name in MEASUREMENT_NAMES}
        )
        if kinds and nearest is not None:
            contrasts.append(_kind_contrast(kinds, nearest(moved[0]), nearest(moved[1])))
        else:
            contrasts.append((0.0, DEFAULT_ENDS))
        if on_latent is not None:
            on_latent(len(effects))
    names = choose_names(effects, contrasts)
    return tuple(
        LatentSlider(
            latent,
            *names[i],
            float(ranges[latent, 0]),
            float(ranges[latent, 1]),
            float(kl[latent]),
            effects[i],
        )
        for i, latent in enumerate(order)
    )


def choose_names(effects: Sequence[Effects], contrasts: Sequence[tuple[float, EndWords]]) -> list[EndWords]:
    """A two-ended name for each latent, no two the same but for those that do nothing.

    The strongest effect of all gives its latent a name, then the strongest that is left, as long as it is clear and
    the latent has none twice as strong.
    A latent whose measures are taken is named by the kinds of product at its ends; or else by its two strongest
    effects, slight ones included; or by a slight one that is not taken. What is left is ("less", "more").

    Args:
        effects: by measure, in standard deviations, for each latent.
        contrasts: for each latent, how much of what is near its ends changes its kind, and the kinds.
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
    strongest = [
        max((size for size, i, _ in ranked if i == latent), default=0.0) for latent in range(len(effects))
    ]
    for size, latent, name in ranked:
        if size >= max(CLEAR_EFFECT, 0.5 * strongest[latent]):
            give(latent, _oriented_words(name, effects[latent]))
    for latent, (share, ends) in enumerate(contrasts):
        if share >= MIN_KIND_CONTRAST:
            give(latent, ends)
    for size, latent, name in ranked:
        others = [
            pick for pick in ranked if pick[1] == latent and pick[2] != name and pick[0] >= SLIGHT_EFFECT
        ]
        if size >= SLIGHT_EFFECT:
            for _, _, other in others:
                first, second = (
                    _oriented_words(name, effects[latent]),
                    _oriented_words(other, effects[latent]),
                )
                give(latent, (f"{first[0]}, {second[0]}", f"{first[1]}, {second[1]}"))
            give(latent, _oriented_words(name, effects[latent]))
    return [names.get(latent, DEFAULT_ENDS) for latent in range(len(effects))]


def _oriented_words(name: str, effects: Effects) -> EndWords:
    low, high = MEASUREMENT_WORDS[name]
    return (low, high) if effects[name] >= 0 else (high, low)


def _measure_effect(
    name: str, low: NDArray[np.float64], high: NDArray[np.float64], plain: NDArray[np.float64]
) -> float:
    """The mean change from one end to the other in standard deviations; of hue, in degrees the short way round."""
    change = high - low
    if name == "hue":
        turned = np.exp(1j * np.radians(change)).mean()
        return float(np.degrees(np.angle(turned)))
    return float(change.mean() / measurement_spread(name, plain))


def measurement_spread(name: str, plain: NDArray[np.float64]) -> float:
    """The standard deviation of a measure over some pictures, or what can be seen of it at all where that is more."""
    return max(float(plain.std()), MIN_COLOUR_SPREAD if name in COLOUR_MEASUREMENTS else 0.01)


def _kind_contrast(
    kinds: Mapping[str, Sequence[str | None]], low: NDArray[np.intp], high: NDArray[np.intp]
) -> tuple[float, EndWords]:
    """The words that the products near either end have most more often than those near the other, and how much."""
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
        first, last = min(counts, key=lambda w: (counts[w], w)), max(counts, key=lambda w: (counts[w], w))
        share = (counts[last] - counts[first]) / 2.0
        if share > best[0] and counts[first] < 0 < counts[last]:
            best = (share, (first, last))
    return best
