"""Quality of the codes on sample products, whose attributes are correct: a small evaluation that takes a minute."""

from __future__ import annotations

from typing import Any

import pytest

from modiste.evaluate import evaluate
from modiste.pipeline.build import build
from modiste.sources.sample import SampleSource

pytestmark = pytest.mark.slow  # trains for a minute

FRAME = (120, 90)  # half of it is the body's, so that drawings are enlarged


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from modiste.shop.shop import Shop

    root = tmp_path_factory.mktemp("quality") / "shop"
    build(SampleSource(count=600, seed=3, size=FRAME), root, frame=FRAME, latent=16, epochs=45, threads=2)
    return evaluate(Shop.open(root), per_category=60)


def test_article_types_beat_pca_and_colours_beat_chance(result: dict[str, Any]) -> None:
    kind, colour = (result["attributes"][name]["fixed-epsilon"] for name in ("article_type", "base_colour"))
    pca, random = (result["baselines"][name]["attributes"] for name in ("pca", "random"))
    assert kind > pca["article_type"]["euclidean"] + 0.03
    assert colour > 2.0 * random["base_colour"]["random"]


def test_likelihood_is_no_worse_than_fixed_epsilon(result: dict[str, Any]) -> None:
    for values in result["attributes"].values():
        assert values["likelihood"] > values["fixed-epsilon"] - 0.03
    for values in result["retrieval"].values():
        assert values["likelihood"]["10"] > values["fixed-epsilon"]["10"] - 0.02


def test_slider_directions_are_more_disentangled_than_latents(result: dict[str, Any]) -> None:
    independence = result["latents"]
    assert independence["active"] == 16
    directions, latents = (independence["disentanglement"][name] for name in ("directions", "latents"))
    assert directions["dci_disentanglement"] > 0.45
    assert directions["dci_disentanglement"] > latents["dci_disentanglement"]


def test_transport_preserves_colour_and_varies_recommendations(result: dict[str, Any]) -> None:
    recommendations = result["recommendations"]
    assert recommendations["transport"]["base_colour"] > 1.3 * recommendations["transport"]["chance"]
    for worse in ("printed", "random"):
        assert recommendations["transport"]["base_colour"] > recommendations[worse]["base_colour"]
    assert recommendations["transport"]["distinct"] > recommendations["shift"]["distinct"]


def test_reconstructions_are_sharper_than_pca_without_more_mosaic(result: dict[str, Any]) -> None:
    drawn, pca = result["reconstruction"], result["baselines"]["pca"]["reconstruction"]
    assert drawn["psnr"] > pca["psnr"]
    assert drawn["sharpness"] > pca["sharpness"]
    assert drawn["mosaic"] < pca["mosaic"] + 0.05
