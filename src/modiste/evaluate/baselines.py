"""Baselines of the evaluation: principal components, colour histograms, random products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.queries import QuerySet
from modiste.evaluate.ranking import random_ranking, rank, rank_other_clusters
from modiste.evaluate.recommendations import PRODUCTS_PER_CLUSTER
from modiste.evaluate.relevance import MAP_DEPTHS, RelevanceScorer, diversity
from modiste.images.colour import rgb_to_lab
from modiste.images.measurements import foreground_mask
from modiste.images.photo import decode_jpeg
from modiste.latent.arithmetic import shift
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.search.index import LatentIndex
from modiste.shop.shop import Shop

Photos = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

BATCH_PHOTOS = 128  # photos decoded at once: 66 MB as float32 at 240 x 180
MAX_FIT_PHOTOS = 3000  # photos that the components are fitted to
MAX_FIT_BYTES = 400_000_000
OVERSAMPLING = 10
POWER_ITERATIONS = 3  # six improve the reconstruction of held-out photos by only 0.001 dB
PIXEL_STRIDE = 3  # every third pixel is enough for a photo's mean colour
BITS_PER_CHANNEL = 3  # of the histogram: 8 x 8 x 8 bins
MAX_DEPTH = max(MAP_DEPTHS)


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Principal components of photos: `mean` `(P,)`, orthonormal `axes` `(n, P)`, P = H·W·3, colours 0 to 255."""

    mean: Floats
    axes: Floats

    def project(self, photos: Photos) -> Floats:
        """Return the scores of photos, `(b, n)`; photos are uint8 `(b, H, W, 3)`."""
        flat = photos.reshape(len(photos), -1).astype(np.float32)
        return np.matmul(flat - self.mean, self.axes.T, dtype=np.float32)

    def reconstruct(self, scores: Floats, frame: tuple[int, int]) -> Photos:
        """Return the photos with these scores `(b, n)`, uint8 `(b, H, W, 3)`; `frame` is (H, W)."""
        pixels = np.rint(scores @ self.axes + self.mean).clip(0, 255).astype(np.uint8)
        return pixels.reshape(-1, *frame, 3)


def fit_pca(photos: Photos, n: int, seed: int = 0) -> PrincipalComponents:
    """Return the first n principal components of photos, uint8 `(m, H, W, 3)`; fewer if m or H·W·3 is below n.

    Randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4): each pass multiplies the centred
    photos twice with a thin matrix. The photos are converted to floats in batches, never all at once.
    """
    rows = photos.reshape(len(photos), -1)
    count, pixels = rows.shape
    width = min(n + OVERSAMPLING, count, pixels)
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    basis = np.random.default_rng([seed, 3]).standard_normal((pixels, width)).astype(np.float32)
    basis = np.linalg.qr(basis)[0]
    for _ in range(POWER_ITERATIONS):
        product = np.zeros((pixels, width), np.float32)
        for part in _centred_batches(rows, mean):
            product += part.T @ (part @ basis)
        basis = np.linalg.qr(product)[0]
    projected = np.concatenate([part @ basis for part in _centred_batches(rows, mean)])
    rotation = np.linalg.svd(projected.astype(np.float64), full_matrices=False)[2]
    axes = rotation[: min(n, width)].astype(np.float32) @ basis.T
    return PrincipalComponents(mean, np.ascontiguousarray(axes))


def _centred_batches(rows: Photos, mean: Floats) -> Iterator[Floats]:
    for start in range(0, len(rows), BATCH_PHOTOS):
        yield rows[start : start + BATCH_PHOTOS].astype(np.float32) - mean


_pca_cache: WeakKeyDictionary[Shop, dict[int, PrincipalComponents]] = WeakKeyDictionary()


def shop_pca(shop: Shop, seed: int = 0) -> PrincipalComponents:
    """Return as many principal components as the shop's model has latents.

    They are fitted to at most MAX_FIT_PHOTOS photos that the model was trained on, at the full frame, so that their
    reconstructions are comparable with the model's. They are cached while the shop is open, so that the report shows
    the components that the evaluation measured.
    """
    by_seed = _pca_cache.setdefault(shop, {})
    if seed not in by_seed:
        by_seed[seed] = fit_pca(_training_photos(shop, seed), shop.model.latent, seed)
    return by_seed[seed]


def _training_photos(shop: Shop, seed: int) -> Photos:
    held_out = set(shop.model.validation_ids)
    ids = [each for each in shop.catalogue.ids if each not in held_out]
    if len(ids) < 2:
        ids = shop.catalogue.ids
    height, width = shop.frame
    max_count = max(2, min(MAX_FIT_PHOTOS, MAX_FIT_BYTES // (height * width * 3)))
    if len(ids) > max_count:
        chosen = np.random.default_rng([seed, 4]).choice(len(ids), max_count, replace=False)
        ids = [ids[row] for row in np.sort(chosen)]
    return np.concatenate(list(iter_shop_photos(shop, ids)))


def colour_histograms(photos: Photos) -> Floats:
    """Return the share of each photo's pixels in 8 x 8 x 8 RGB bins, `(b, 512)`; photos are uint8 `(b, H, W, 3)`."""
    bin_count = 1 << 3 * BITS_PER_CHANNEL
    high = (photos >> (8 - BITS_PER_CHANNEL)).astype(np.intp)
    bins = (high[..., 0] << 2 * BITS_PER_CHANNEL | high[..., 1] << BITS_PER_CHANNEL | high[..., 2]).reshape(
        len(photos), -1
    )
    bins += bin_count * np.arange(len(photos))[:, None]
    counts = np.bincount(bins.ravel(), minlength=bin_count * len(photos)).reshape(len(photos), bin_count)
    return (counts / bins.shape[1]).astype(np.float32)


def iter_shop_photos(shop: Shop, ids: Sequence[str]) -> Iterator[Photos]:
    """Yield the photos of products in batches, uint8 `(b, H, W, 3)`."""
    for start in range(0, len(ids), BATCH_PHOTOS):
        yield decode_jpegs(shop.store.photos(ids[start : start + BATCH_PHOTOS]))


def decode_jpegs(jpegs: Sequence[bytes]) -> Photos:
    """Return JPEGs of one size as uint8 `(b, H, W, 3)`."""
    with ThreadPoolExecutor(2, thread_name_prefix="decode") as pool:
        return np.stack(list(pool.map(decode_jpeg, jpegs)))


def iter_decoded_photos(jpegs: Sequence[bytes]) -> Iterator[Photos]:
    """Yield JPEGs of one size in batches, uint8 `(b, H, W, 3)`."""
    for start in range(0, len(jpegs), BATCH_PHOTOS):
        yield decode_jpegs(jpegs[start : start + BATCH_PHOTOS])


@dataclass(frozen=True, eq=False)
class BaselineFeatures:
    """Features of `N` photos: PCA scores `(N, n)`, colour histograms `(N, 512)`, foreground Lab colours `(N, 3)`."""

    scores: Floats
    histograms: Floats
    colours: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> BaselineFeatures:
        """Return the features of these rows."""
        return BaselineFeatures(self.scores[rows], self.histograms[rows], self.colours[rows])


def compute_features(batches: Iterator[Photos], components: PrincipalComponents) -> BaselineFeatures:
    """Return the features of batches of photos."""
    parts = [(components.project(photos), colour_histograms(photos), foreground_colours(photos)) for photos in batches]
    return BaselineFeatures(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def foreground_colours(photos: Photos) -> NDArray[np.float64]:
    """Return the mean Lab colour of each photo's foreground, `(b, 3)`; of the whole photo if it has no foreground."""
    sampled = photos[:, ::PIXEL_STRIDE, ::PIXEL_STRIDE]
    colours = np.empty((len(sampled), 3))
    for row, (photo, mask) in enumerate(zip(sampled, foreground_mask(sampled), strict=True)):
        colours[row] = rgb_to_lab(photo[mask] if mask.any() else photo.reshape(-1, 3)).mean(axis=0)
    return colours


def evaluate_distance(
    shop: Shop,
    queries: QuerySet,
    scorer: RelevanceScorer,
    product_features: NDArray[np.float32],
    query_features: NDArray[np.float32],
    clusters: Clusters,
) -> tuple[Tree, Tree]:
    """Evaluate ranking by the Euclidean distance between features.

    Args:
        shop: the open shop.
        queries: the queries.
        scorer: scores the rankings.
        product_features: `(N, m)`.
        query_features: `(b, m)`.
        clusters: clusters of the features.

    Returns:
        The scores per query, and the diversity of the recommendations.
    """
    is_by_category = clusters.method == "category"
    product_clusters = shop.assignments if is_by_category else np.asarray(clusters.assign(product_features), np.intp)
    query_clusters = np.asarray(clusters.assign(query_features), np.intp)
    index = LatentIndex(shop.catalogue.ids, product_features, np.ones_like(product_features), product_features)
    tree = retrieval_scores(
        scorer,
        "euclidean",
        rank(index, query_features, MAX_DEPTH, "mean", queries.product_rows),
        rank(index, query_features, MAX_DEPTH, "mean", queries.product_rows, product_clusters, query_clusters),
    )
    recommended = rank_other_clusters(
        index,
        query_features,
        PRODUCTS_PER_CLUSTER,
        "mean",
        query_clusters,
        product_clusters,
        len(clusters),
        lambda codes, i, j: shift(codes, clusters.centres[i], clusters.centres[j]),
        queries.product_rows,
    )
    tree["recommendations"] = {"euclidean": scorer.attribute_transfer(recommended, product_clusters)}
    return tree, {"recommendations": {"euclidean": diversity(recommended)}}


def evaluate_random(shop: Shop, queries: QuerySet, scorer: RelevanceScorer, seed: int) -> tuple[Tree, Tree]:
    """Evaluate random rankings: of all products, and in the scope "cluster" of the query's cluster."""
    count = len(shop.catalogue)
    in_catalogue = random_ranking(count, MAX_DEPTH, queries.product_rows, seed)
    in_cluster = random_ranking(
        count, MAX_DEPTH, queries.product_rows, seed, shop.assignments, queries.assign_clusters(shop.clusters)
    )
    return retrieval_scores(scorer, "random", in_catalogue, in_cluster), {}


def retrieval_scores(scorer: RelevanceScorer, method: str, in_catalogue: Ints, in_cluster: Ints) -> Tree:
    """Return the scores of rankings `(b, m)` of all products and of the query's cluster, in the shape of a result."""
    return {
        "retrieval": {
            "catalogue": {method: scorer.retrieval(in_catalogue)},
            "cluster": {method: scorer.retrieval(in_cluster)},
        },
        "attributes": {column: {method: value} for column, value in scorer.attribute_agreement(in_catalogue).items()},
    }


def fit_baseline_clusters(shop: Shop, features: BaselineFeatures, seed: int) -> dict[str, Clusters]:
    """Return clusters of each baseline's features, fitted by the method of the shop's clusters."""
    k, method = len(shop.clusters), shop.clusters.method
    pca, histogram = features.scores, features.histograms
    if method != "category":
        fit = fit_mixture if method == "mixture" else fit_kmeans
        return {"pca": fit(pca, k, seed), "histogram": fit_kmeans(histogram, k, seed)}
    centres = np.stack([histogram[shop.assignments == j].mean(axis=0) for j in range(k)])
    by_category = Clusters(centres.astype(np.float32), shop.clusters.labels, "code", "category")
    return {"pca": fit_categories(pca, shop.catalogue.categories, seed), "histogram": by_category}
