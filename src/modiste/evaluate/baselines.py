"""What the model must beat: principal components with as many numbers per photo, colour histograms, chance."""

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

BATCH_PHOTOS = 128  # photos decoded at once: 66 MB as float32 at 240 x 180
MAX_FIT_PHOTOS = 3000  # photos that the components are fitted to
MAX_FIT_BYTES = 400_000_000
OVERSAMPLING = 10
POWER_ITERATIONS = 3  # six draw held-out photos 0.001 dB nearer
PIXEL_STRIDE = 3  # every third pixel tells a photo's mean colour
BITS_PER_CHANNEL = 3  # per channel of the histogram: 8 x 8 x 8 bins


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Principal components of whole photos: `mean` `(P,)`, orthonormal `axes` `(n, P)`, P = H·W·3, colours 0 to 255."""

    mean: Floats
    axes: Floats

    def project(self, photos: Photos) -> Floats:
        """The n numbers of each photo, `(b, n)`; photos are uint8 `(b, H, W, 3)`."""
        flat = photos.reshape(len(photos), -1).astype(np.float32)
        return np.matmul(flat - self.mean, self.axes.T, dtype=np.float32)

    def reconstruct(self, scores: Floats, frame: tuple[int, int]) -> Photos:
        """The photos that the numbers stand for, uint8 `(b, H, W, 3)`."""
        drawn = np.rint(scores @ self.axes + self.mean).clip(0, 255).astype(np.uint8)
        return drawn.reshape(-1, *frame, 3)


def fit_pca(photos: Photos, n: int, seed: int = 0) -> PrincipalComponents:
    """The first n principal components of photos, uint8 `(m, H, W, 3)`, without ever holding them all as floats.

    Randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4): each pass costs two products of the
    centred photos with a thin matrix. Fewer than n come where there are fewer photos or pixels.
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
    seen = np.concatenate([part @ basis for part in _centred_batches(rows, mean)])
    turn = np.linalg.svd(seen.astype(np.float64), full_matrices=False)[2]
    axes = turn[: min(n, width)].astype(np.float32) @ basis.T
    return PrincipalComponents(mean, np.ascontiguousarray(axes))


def _centred_batches(rows: Photos, mean: Floats) -> Iterator[Floats]:
    for start in range(0, len(rows), BATCH_PHOTOS):
        yield rows[start : start + BATCH_PHOTOS].astype(np.float32) - mean


_pca_cache: WeakKeyDictionary[Shop, dict[int, PrincipalComponents]] = WeakKeyDictionary()


def shop_pca(shop: Shop, seed: int = 0) -> PrincipalComponents:
    """As many components as the shop's model has latents, of products that the model was trained on (at most 3,000).

    They are of the photos at the full frame, so that what they draw can be compared with what the model draws. They
    are kept while the shop is open: the report shows what the evaluation measured.
    """
    kept = _pca_cache.setdefault(shop, {})
    if seed not in kept:
        kept[seed] = fit_pca(_training_photos(shop, seed), shop.model.latent, seed)
    return kept[seed]


def _training_photos(shop: Shop, seed: int) -> Photos:
    held_out = set(shop.model.validation_ids)
    ids = [each for each in shop.catalogue.ids if each not in held_out]
    if len(ids) < 2:
        ids = shop.catalogue.ids
    height, width = shop.frame
    most = max(2, min(MAX_FIT_PHOTOS, MAX_FIT_BYTES // (height * width * 3)))
    if len(ids) > most:
        chosen = np.random.default_rng([seed, 4]).choice(len(ids), most, replace=False)
        ids = [ids[row] for row in np.sort(chosen)]
    return np.concatenate(list(iter_shop_photos(shop, ids)))


def colour_histograms(photos: Photos) -> Floats:
    """The share of each photo's pixels in each of 8 x 8 x 8 RGB bins, `(b, 512)`; photos are uint8 `(b, H, W, 3)`."""
    bins = 1 << 3 * BITS_PER_CHANNEL
    high = (photos >> (8 - BITS_PER_CHANNEL)).astype(np.intp)
    number = (high[..., 0] << 2 * BITS_PER_CHANNEL | high[..., 1] << BITS_PER_CHANNEL | high[..., 2]).reshape(
        len(photos), -1
    )
    number += bins * np.arange(len(photos))[:, None]
    counts = np.bincount(number.ravel(), minlength=bins * len(photos)).reshape(len(photos), bins)
    return (counts / number.shape[1]).astype(np.float32)


def iter_shop_photos(shop: Shop, ids: Sequence[str]) -> Iterator[Photos]:
    """The photos of products, uint8 `(b, H, W, 3)`, some at a time."""
    for start in range(0, len(ids), BATCH_PHOTOS):
        yield decode_jpegs(shop.store.photos(ids[start : start + BATCH_PHOTOS]))


def decode_jpegs(jpegs: Sequence[bytes]) -> Photos:
    """JPEGs of one size as uint8 `(b, H, W, 3)`."""
    with ThreadPoolExecutor(2, thread_name_prefix="decode") as pool:
        return np.stack(list(pool.map(decode_jpeg, jpegs)))


def iter_decoded_photos(jpegs: Sequence[bytes]) -> Iterator[Photos]:
    """JPEGs of one size as uint8 `(b, H, W, 3)`, some at a time."""
    for start in range(0, len(jpegs), BATCH_PHOTOS):
        yield decode_jpegs(jpegs[start : start + BATCH_PHOTOS])


@dataclass(frozen=True, eq=False)
class BaselineFeatures:
    """What is measured on `N` photos: principal components `(N, n)`, histograms `(N, 512)`, foreground Lab `(N, 3)`."""

    scores: Floats
    histograms: Floats
    colours: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> BaselineFeatures:
        """The same of some rows."""
        return BaselineFeatures(self.scores[rows], self.histograms[rows], self.colours[rows])


def compute_features(batches: Iterator[Photos], components: PrincipalComponents) -> BaselineFeatures:
    """Measure photos, some at a time."""
    parts = [(components.project(photos), colour_histograms(photos), foreground_colours(photos)) for photos in batches]
    return BaselineFeatures(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def foreground_colours(photos: Photos) -> NDArray[np.float64]:
    """The mean Lab of each photo's foreground, `(b, 3)`; of the whole photo where there is none."""
    few = photos[:, ::PIXEL_STRIDE, ::PIXEL_STRIDE]
    found = np.empty((len(few), 3))
    for row, (photo, mask) in enumerate(zip(few, foreground_mask(few), strict=True)):
        found[row] = rgb_to_lab(photo[mask] if mask.any() else photo.reshape(-1, 3)).mean(axis=0)
    return found


Ints = NDArray[np.intp]
MAX_DEPTH = max(MAP_DEPTHS)


def evaluate_distance(
    shop: Shop,
    questions: QuerySet,
    judge: RelevanceScorer,
    features: NDArray[np.float32],
    asked: NDArray[np.float32],
    clusters: Clusters,
) -> tuple[Tree, Tree]:
    """A method that ranks by the Euclidean distance of its own numbers `(N, m)`, in its own clusters."""
    tagged = clusters.method == "category"
    cluster = shop.assignments if tagged else np.asarray(clusters.assign(features), np.intp)
    own = np.asarray(clusters.assign(asked), np.intp)
    index = LatentIndex(shop.catalogue.ids, features, np.ones_like(features), features)
    tree = retrieval_values(
        judge,
        "euclidean",
        rank(index, asked, MAX_DEPTH, "mean", questions.product_rows),
        rank(index, asked, MAX_DEPTH, "mean", questions.product_rows, cluster, own),
    )
    recommended = rank_other_clusters(
        index,
        asked,
        PRODUCTS_PER_CLUSTER,
        "mean",
        own,
        cluster,
        len(clusters),
        lambda codes, i, j: shift(codes, clusters.centres[i], clusters.centres[j]),
        questions.product_rows,
    )
    tree["recommendations"] = {"euclidean": judge.attribute_transfer(recommended, cluster)}
    return tree, {"recommendations": {"euclidean": diversity(recommended)}}


def evaluate_random(shop: Shop, questions: QuerySet, judge: RelevanceScorer, seed: int) -> tuple[Tree, Tree]:
    """Chance: any products; and in the scope "cluster", any of the shop's cluster that the query falls into."""
    count = len(shop.catalogue)
    everywhere = random_ranking(count, MAX_DEPTH, questions.product_rows, seed)
    near = random_ranking(
        count, MAX_DEPTH, questions.product_rows, seed, shop.assignments, questions.assign_clusters(shop.clusters)
    )
    return retrieval_values(judge, "random", everywhere, near), {}


def retrieval_values(judge: RelevanceScorer, method: str, everywhere: Ints, near: Ints) -> Tree:
    """What rankings everywhere and inside the cluster are worth, as an evaluation files it."""
    return {
        "retrieval": {"catalogue": {method: judge.retrieval(everywhere)}, "cluster": {method: judge.retrieval(near)}},
        "attributes": {column: {method: value} for column, value in judge.attribute_agreement(everywhere).items()},
    }


def matching_clusters(shop: Shop, features: BaselineFeatures, seed: int) -> dict[str, Clusters]:
    """Each simpler method's own clusters, made as the shop's were: of its tags, by mixture or by K-means."""
    k, made = len(shop.clusters), shop.clusters.method
    pca, histogram = features.scores, features.histograms
    if made != "category":
        fit = fit_mixture if made == "mixture" else fit_kmeans
        return {"pca": fit(pca, k, seed), "histogram": fit_kmeans(histogram, k, seed)}
    tags = shop.catalogue.categories
    centres = np.stack([histogram[shop.assignments == j].mean(axis=0) for j in range(k)])
    nearest = Clusters(centres.astype(np.float32), shop.clusters.labels, "code", "category")
    return {"pca": fit_categories(pca, tags, seed), "histogram": nearest}
