"""Shop: encoding, drawing, similar products and recommendations on a small trained shop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modiste import Shop
from modiste.errors import BadCode, BadCount, BadOption, PhotoError, UnknownProduct
from modiste.latent.hub_score import hub_score
from modiste.latent.optimal_transport import Moments
from modiste.shop.hubness import STRENGTH
from modiste.shop.results import Match, Matches, Recommendation, Recommendations
from modiste.sources.record import Record
from tests.small import FRAME

N = 8


@pytest.fixture(scope="module")
def shop(built: Path) -> Shop:
    return Shop.open(built)


def test_products_are_a_table(shop: Shop, sample_records: list[Record]) -> None:
    table = shop.products
    assert list(table.columns[:3]) == ["id", "category", "cluster"]
    assert sorted(table["id"]) == sorted(record.id for record in sample_records)
    assert {"article_type", "base_colour"} <= set(table.columns)
    assert table["cluster"].isin(range(3)).all()


def test_encode_takes_a_photo_of_any_size(shop: Shop) -> None:
    photo = np.full((100, 33, 3), 255, np.uint8)
    photo[30:60, 10:20] = (200, 30, 30)
    posterior = shop.encode(photo)
    for part in (posterior.mean, posterior.std, posterior.code):
        assert part.shape == (N,)
        assert part.dtype == np.float32
    assert (posterior.std > 0).all()
    np.testing.assert_allclose(posterior.code, posterior.mean + posterior.std * np.array(shop.model.epsilon), rtol=1e-5)


def test_encode_takes_a_batch(shop: Shop) -> None:
    photos = [shop.photo(id_) for id_ in shop.catalogue.ids[:3]]
    batch = shop.encode(photos)
    assert batch.mean.shape == batch.std.shape == batch.code.shape == (3, N)
    np.testing.assert_allclose(shop.encode(np.stack(photos)).code, batch.code)
    np.testing.assert_allclose(shop.encode(photos[1]).code, batch.code[1], atol=1e-4)


def test_stored_photo_has_the_stored_encoding(shop: Shop) -> None:
    id_ = shop.catalogue.ids[5]
    np.testing.assert_allclose(shop.encode(shop.photo(id_)).code, shop.code_of(id_), atol=1e-4)


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_encode_rejects_arrays_that_are_not_photos(shop: Shop, bad: np.ndarray) -> None:
    with pytest.raises(PhotoError):
        shop.encode(bad)


def test_own_code_with_own_details_is_the_photo(shop: Shop) -> None:
    id_ = shop.catalogue.ids[3]
    np.testing.assert_array_equal(shop.draw(shop.code_of(id_), id_), shop.photo(id_))


def test_draw_takes_every_kind_of_exemplar(shop: Shop) -> None:
    ids = shop.catalogue.ids
    code = 0.7 * shop.code_of(ids[0]) + 0.3 * shop.code_of(ids[1])
    bare, borrowed, automatic = (shop.draw(code, exemplar) for exemplar in (None, ids[0], "auto"))
    np.testing.assert_array_equal(bare, shop.decode(code))
    assert not np.array_equal(borrowed, bare)
    assert automatic.shape == bare.shape
    # A photo of a product is as good as the product: its code differs by rounding.
    difference = shop.draw(code, shop.photo(ids[0])).astype(int) - borrowed
    assert np.abs(difference).mean() < 1.0


def test_draw_takes_a_batch(shop: Shop) -> None:
    codes = np.stack([shop.code_of(id_) for id_ in shop.catalogue.ids[:3]])
    pictures = shop.draw(codes)
    assert pictures.shape == (3, *FRAME, 3)
    np.testing.assert_array_equal(pictures[1], shop.draw(codes[1]))


def test_draw_with_an_unknown_exemplar_is_an_error(shop: Shop) -> None:
    with pytest.raises(UnknownProduct):
        shop.draw(np.zeros(N), "no-such")
    with pytest.raises(PhotoError):
        shop.draw(np.zeros(N), np.zeros((4, 4), np.uint8))


def test_condition_brings_a_design_nearer_to_products(shop: Shop) -> None:
    random = np.random.default_rng(0)
    low, high = np.quantile(shop.encodings.code, [0.01, 0.99], axis=0)
    before, after = [], []
    for _ in range(100):
        code, fixed = shop.random_design(int(random.integers(1000))), random.choice(N, 2, replace=False).tolist()
        code[fixed] = random.uniform(low, high)[fixed]
        moved = shop.condition(code, fixed)
        np.testing.assert_array_equal(moved[fixed], code[fixed])
        for each, distances in ((code, before), (moved, after)):
            distances.append(shop.similar(each, 1, "fixed-epsilon", "catalogue")[0].score)
    assert np.mean(after) < np.mean(before)


def test_condition_keeps_a_direction(shop: Shop) -> None:
    code, direction = shop.code_of(shop.catalogue.ids[0]) + np.float32(0.5), np.eye(N)[2] + np.eye(N)[4]
    moved = shop.condition(code, [0], directions=direction)
    assert moved[0] == code[0]
    assert moved @ direction == pytest.approx(code @ direction, abs=1e-4)


@pytest.mark.parametrize(("fixed", "error"), [([N], BadOption), ([-1], BadOption)])
def test_condition_rejects_latents_that_there_are_not(shop: Shop, fixed: list[int], error: type[Exception]) -> None:
    with pytest.raises(error, match="no latent"):
        shop.condition(np.zeros(N), fixed)


def test_decode_returns_photos_of_the_frame_size(shop: Shop) -> None:
    codes = shop.encodings.code[:2]
    assert shop.decode(codes[0]).shape == (*FRAME, 3)
    photos = shop.decode(codes)
    assert photos.shape == (2, *FRAME, 3)
    assert photos.dtype == np.uint8
    np.testing.assert_array_equal(photos[0], shop.decode(codes[0]))


@pytest.mark.parametrize("bad", [np.zeros(N - 1), np.full(N, np.nan), np.full(N, np.inf), [], np.zeros((1, 2, N))])
def test_invalid_code_raises_bad_code(shop: Shop, bad: object) -> None:
    for question in (shop.decode, shop.similar, shop.recommend, shop.cluster_of):
        with pytest.raises(BadCode):
            question(bad)  # type: ignore[arg-type]


def test_similar_is_sorted_and_stays_in_the_cluster(shop: Shop) -> None:
    code = shop.code_of(shop.catalogue.ids[0])
    for method, sign in (("likelihood", -1), ("fixed-epsilon", 1), ("mean", 1)):
        matches = shop.similar(code, 7, method)  # type: ignore[arg-type]
        assert isinstance(matches, Matches)
        assert all(isinstance(match, Match) for match in matches)
        scores = [sign * match.score for match in matches]
        assert scores == sorted(scores)
        assert {match.cluster for match in matches} == {shop.cluster_of(code)}


def test_similar_agrees_with_the_formula(shop: Shop) -> None:
    code = shop.random_design(1)
    encodings = shop.encodings
    mean, std = encodings.mean.astype(np.float64), encodings.std.astype(np.float64)
    expected = -((code - mean) ** 2) / (2 * std**2) - np.log(np.sqrt(2 * np.pi) * std)
    order = np.argsort(-expected.sum(1), kind="stable")[:5]
    matches = shop.similar(code, 5, scope="catalogue")
    assert [match.id for match in matches] == [shop.catalogue.ids[row] for row in order]
    np.testing.assert_allclose([match.score for match in matches], expected.sum(1)[order], rtol=1e-6)
    distances = np.abs(encodings.code.astype(np.float64) - code).sum(1)
    nearest = shop.similar(code, 3, "fixed-epsilon", "catalogue", metric="manhattan")
    np.testing.assert_allclose([match.score for match in nearest], np.sort(distances)[:3], rtol=1e-6)


def test_product_is_nearest_to_itself_and_can_be_excluded(shop: Shop) -> None:
    id_ = shop.catalogue.ids[4]
    code = shop.code_of(id_)
    assert shop.similar(code, 1, "fixed-epsilon")[0].id == id_
    others = shop.similar(code, 5, "fixed-epsilon", exclude=[id_])
    assert len(others) == 5
    assert id_ not in {match.id for match in others}


def test_batch_returns_a_list_of_answers(shop: Shop) -> None:
    codes = shop.encodings.code[:3]
    similar = shop.similar(codes, 4)
    recommended = shop.recommend(codes, 2)
    assert len(similar) == len(recommended) == 3
    assert similar[1] == shop.similar(codes[1], 4)
    assert recommended[2] == shop.recommend(codes[2], 2)


def test_recommend_covers_every_other_cluster(shop: Shop) -> None:
    code = shop.code_of(shop.catalogue.ids[0])
    own = shop.cluster_of(code)
    recommendations = shop.recommend(code, 2, "shift:mean")
    assert isinstance(recommendations, Recommendations)
    assert [each.cluster for each in recommendations] == [number for number in range(3) if number != own]
    for each in recommendations:
        assert isinstance(each, Recommendation)
        assert each.label == shop.clusters.labels[each.cluster]
        assert {match.cluster for match in each.matches} == {each.cluster}
        # the difference of the centres points towards the other cluster
        moved = code + (shop.clusters.centres[each.cluster] - shop.clusters.centres[own])
        rows = np.flatnonzero(shop.assignments == each.cluster)
        nearest = rows[np.argmin(np.linalg.norm(shop.encodings.mean[rows] - moved, axis=1))]
        assert each.matches[0].id == shop.catalogue.ids[nearest]


def test_transport_subtracts_the_hub_penalty(shop: Shop) -> None:
    code = shop.encodings.mean[0]
    own = shop.cluster_of(code)
    for each in shop.recommend(code, 4, "transport:mean"):
        rows = np.flatnonzero(shop.assignments == each.cluster)
        designs = np.flatnonzero(shop.assignments == own)
        moments = Moments.fit(shop.encodings.mean, shop.assignments, 3)
        matrix = moments.transport_matrix(own, each.cluster)
        moved = moments.centres[each.cluster] + (shop.encodings.mean[designs] - moments.centres[own]) @ matrix.T
        nearness = -np.square(moved[:, None] - shop.encodings.mean[rows][None]).sum(axis=2)
        moved_code = moments.centres[each.cluster] + (code - moments.centres[own]) @ matrix.T
        rank = -np.square(moved_code - shop.encodings.mean[rows]).sum(axis=1) - STRENGTH * hub_score(nearness, 10)
        assert [match.id for match in each.matches] == [shop.catalogue.ids[rows[i]] for i in np.argsort(-rank)[:4]]
        # the score is the distance, without the penalty
        first = shop.catalogue.row(each.matches[0].id)
        assert each.matches[0].score == pytest.approx(np.linalg.norm(moved_code - shop.encodings.mean[first]), abs=1e-4)


def test_recommend_takes_a_transfer_a_method_or_both(shop: Shop) -> None:
    code = shop.code_of(shop.catalogue.ids[0])
    assert shop.recommend(code) == shop.recommend(code, method="likelihood")
    assert shop.recommend(code) == shop.recommend(code, method="likelihood:transport")
    assert shop.recommend(code, method="shift") == shop.recommend(code, method="shift:likelihood")
    for wrong in ("", "shift:", "shift:shift", "mean:likelihood", "shift:mean:mean", "cosine"):
        with pytest.raises(BadOption, match="Unknown method"):
            shop.recommend(code, method=wrong)


def test_random_design_depends_on_the_seed(shop: Shop) -> None:
    one, again, other = (shop.random_design(seed) for seed in (1, 1, 2))
    assert one.shape == (N,)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_count_or_option_out_of_range_raises(shop: Shop) -> None:
    code = shop.random_design(0)
    total = len(shop.catalogue)
    assert len(shop.similar(code, total, scope="catalogue")) == total
    for k in (0, -1, total + 1):
        with pytest.raises(BadCount, match=f"1 to {total}"):
            shop.similar(code, k)
        with pytest.raises(BadCount):
            shop.recommend(code, k)
    for wrong in ({"method": "cosine"}, {"scope": "shop"}, {"metric": "cosine"}, {"tau": -1.0}):
        with pytest.raises(BadOption):
            shop.similar(code, **wrong)  # type: ignore[arg-type]


def test_unknown_product_raises(shop: Shop) -> None:
    for method in (shop.photo, shop.jpeg, shop.code_of):
        with pytest.raises(UnknownProduct, match="'no-such'"):
            method("no-such")


def test_notebook_displays_answers_as_pictures(shop: Shop) -> None:
    code = shop.random_design(3)
    page = shop.similar(code, 2)._repr_html_()  # type: ignore[attr-defined]
    assert page.count("data:image/jpeg;base64,") == 2
    page = shop.recommend(code, 1)._repr_html_()  # type: ignore[attr-defined]
    assert page.count("data:image/jpeg;base64,") == 2


def test_notebook_escapes_hostile_attributes(shop: Shop) -> None:
    hostile = '"><script>alert(1)</script>'
    match = Match(hostile, hostile, 0, 1.0, {"name": hostile}, lambda _: b"")
    assert "<script>" not in match._repr_html_()
    assert "<script>" not in Recommendation(0, hostile, Matches([match]))._repr_html_()
