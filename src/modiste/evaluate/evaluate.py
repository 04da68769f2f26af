"""evaluate: the paper's tables for a shop, beside the paper's figures and beside simpler methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCount
from modiste.evaluate import baselines
from modiste.evaluate.independence import independence
from modiste.evaluate.intervals import Bootstrap, Tree, means
from modiste.evaluate.judge import Judge, Looks
from modiste.evaluate.metrics import class_scores, confusion, match_clusters, predictions
from modiste.evaluate.paper import PAPER
from modiste.evaluate.questions import Questions, from_catalogue, from_source
from modiste.evaluate.ranking import rank
from modiste.evaluate.recommending import recommendations
from modiste.evaluate.reconstructing import reconstructions
from modiste.evaluate.simpler import DEEPEST, at_random, by_distance, clusters_like
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.search.index import METHODS
from modiste.shop.progress import Progress, tell
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

ASTRAY = 0.01


def evaluate(
    shop: Shop,
    queries: str | None = None,
    per_category: int = 500,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a shop; the same seed asks the same questions and gives the same figures.

    Args:
        queries: a source of unseen photos to ask with; None asks with products of the catalogue, each left out of its
            own answers.
        per_category: how many questions per category; all where there are fewer.

    Returns:
        What `modiste evaluate --json` prints:
        `clusters.<code|mean|mixture|shop>.{per_class, macro_f1}`: K-means with as many clusters as categories on
        codes and on means, the merged mixture on codes, and the shop's own clusters;
        `retrieval.<catalogue|cluster|unsupervised>.<method>.{"10", "25", "50", "500"}`: mAP;
        `attributes.<column>.<method>`: the mean share of the top 10 in the catalogue that agree with the query;
        `recommendations.<method or way>.{base_colour, gender, usage, chance, ciede2000, answers, distinct,
        largest_share}`: each nearness with the default way, each way with the default nearness, and what they must
        beat: printed, unshifted, random;
        `reconstruction.{psnr, mse, sharpness, mosaic}`: held out (of unseen photos with `queries`), dB and colours from
        0 to 1, mean over photos; see `drawing` for the others;
        `latents.{total_correlation, pairwise_information, active, disentanglement}`, see `independence`;
        `baselines.<pca|histogram|random>.…`, `paper.…` and `intervals.…` in the same shapes
        (there are no intervals of what is one figure for all questions);
        `products`, `queries`, `reconstructed`, `per_category`, `source`, `model`, `clustered_by`, `seed`, and
        `notes` on what was cut short. A figure that cannot be had is None.

    Raises:
        BadCount: fewer than two products, or per_category below 1.
        SourceError, UnknownCategory: the source of queries cannot be used.
        ModisteError: what else the shop's parts raise.
    """
    if len(shop.catalogue) < 2:
        raise BadCount(
            f"The shop has {len(shop.catalogue)} product(s); an evaluation ranks at least 2.",
            remedy="Ingest more products.",
        )
    steps = 8

    def done(count: int) -> None:
        tell(on_progress, "evaluate", count, steps)

    done(0)
    questions = (
        from_catalogue(shop, per_category, seed)
        if queries is None
        else from_source(shop, queries, per_category, seed)
    )
    notes = questions.notes + _short(shop) + _astray(shop, questions)
    bootstrap = Bootstrap(seed)
    done(1)
    components = baselines.shop_components(shop, seed)
    features = baselines.features(baselines.read_photos(shop, shop.catalogue.ids), components)
    asked = (
        features.of(questions.own)
        if questions.jpegs is None
        else baselines.features(baselines.decode_batches(questions.jpegs), components)
    )
    judge = Judge(shop, questions, Looks(features.colours, asked.colours))
    done(2)
    clusters, unsupervised = _category_clusters(shop, bootstrap, seed, notes)
    done(3)
    measured = _answers(shop, questions, judge, unsupervised)
    done(4)
    measured["recommendations"], spreads = recommendations(shop, questions, judge, seed)
    done(5)
    (drawn, mosaic), (pca_drawn, pca_mosaic) = reconstructions(shop, questions, components, seed)
    if not len(drawn["mse"]):
        notes.append(
            "The model held out no photos that the catalogue still has: no reconstruction is measured."
        )
    measured["reconstruction"] = drawn
    done(6)
    simpler = _baselines(shop, questions, judge, features, asked, bootstrap, seed)
    simpler["pca"].measured["reconstruction"] = pca_drawn
    simpler["pca"].alone["reconstruction"] = pca_mosaic
    done(7)
    own = _Measured(
        measured,
        clusters,
        {"recommendations": spreads, "reconstruction": mosaic, "latents": independence(shop, seed)},
    )
    result = own.figures() | {
        "baselines": {name: each.figures() for name, each in simpler.items()},
        "paper": PAPER,
        "intervals": own.intervals(bootstrap)
        | {"baselines": {name: each.intervals(bootstrap) for name, each in simpler.items()}},
        "products": len(shop.catalogue),
        "queries": len(questions),
        "reconstructed": len(drawn["mse"]),
        "per_category": per_category,
        "source": queries,
        "model": shop.model.model_id,
        "clustered_by": shop.clusters.method,
        "seed": seed,
        "notes": notes,
    }
    done(steps)
    return result


class _Measured:
    """Values per query in a tree, clusters' scores with their intervals, and figures that have none (`alone`)."""

    def __init__(self, measured: Tree, clusters: dict[str, tuple[Tree, Tree]], alone: Tree) -> None:
        self.measured = measured
        self.alone = alone
        self._clusters = clusters

    def figures(self) -> Tree:
        clusters = {name: scores for name, (scores, _) in self._clusters.items()}
        tree = ({"clusters": clusters} if clusters else {}) | means(self.measured)
        _graft(tree, self.alone)
        return tree

    def intervals(self, bootstrap: Bootstrap) -> Tree:
        clusters = {name: between for name, (_, between) in self._clusters.items()}
        return ({"clusters": clusters} if clusters else {}) | bootstrap.intervals(self.measured)


def _graft(tree: Tree, more: Tree) -> None:
    """Put the figures of `more` into the tree, where they belong."""
    for key, value in more.items():
        if isinstance(value, dict):
            _graft(tree.setdefault(key, {}), value)
        else:
            tree[key] = value


def _short(shop: Shop) -> list[str]:
    """What is said where there are fewer products to rank than the deepest measure takes."""
    sizes = np.bincount(shop.assignments, minlength=len(shop.clusters))
    groups = {"The catalogue": len(shop.catalogue)} | {
        f"Cluster {number} ({label})": int(size)
        for number, (label, size) in enumerate(zip(shop.clusters.labels, sizes, strict=True))
    }
    return [
        f"{name} has {size} products: mAP at more than {size - 1} takes all of them."
        for name, size in groups.items()
        if size <= DEEPEST
    ]


def _astray(shop: Shop, questions: Questions) -> list[str]:
    """What is said where means and codes of the same products do not fall into the same clusters."""
    codes, centres = (
        shop.clusters.assign(part) for part in (questions.posterior.code, questions.posterior.mean)
    )
    share = float((codes != centres).mean())
    if share < ASTRAY:
        return []
    return [
        f"{share:.0%} of the queries' means fall into another cluster than their fixed-epsilon codes: the deviations "
        "are wide beside the clusters."
    ]


def _category_clusters(
    shop: Shop, bootstrap: Bootstrap, seed: int, notes: list[str]
) -> tuple[dict[str, tuple[Tree, Tree]], Clusters]:
    """The scores of clusterings that know no tags, and of the shop's own; and the merged mixture itself."""
    count = len(shop.catalogue.counts())
    mixture = fit_mixture(shop.encodings.code, count, seed)
    if mixture.method != "mixture":
        notes.append("There are too few products for a mixture: clusters.mixture is K-means.")
    if shop.clusters.method == "category":
        notes.append(
            "The shop is clustered by its own categories: clusters.shop and the scope cluster were told them. "
            "The scope unsupervised looks inside the merged mixture's clusters, which were not."
        )
    found = {
        "code": fit_kmeans(shop.encodings.code, count, seed).assign(shop.encodings.code),
        "mean": fit_kmeans(shop.encodings.mean, count, seed).assign(shop.encodings.mean),
        "mixture": mixture.assign(shop.encodings.code),
        "shop": shop.assignments,
    }
    scored = {
        name: score_clusters(shop.catalogue.categories, each, bootstrap) for name, each in found.items()
    }
    return scored, mixture


def score_clusters(categories: list[str], assigned: Ints, bootstrap: Bootstrap) -> tuple[Tree, Tree]:
    """Scores per class and macro-F1 of clusters `(N,)` against categories, and the intervals in the same shape."""
    names = sorted(set(categories))
    place = {name: number for number, name in enumerate(names)}
    truth = np.array([place[each] for each in categories], np.intp)
    counts = confusion(truth, assigned, len(names), int(assigned.max()) + 1)
    table = predictions(counts, match_clusters(counts))
    scores = class_scores(table)
    per_class = {
        name: {score: float(values[row]) for score, values in scores.items()}
        for row, name in enumerate(names)
    }
    figures = {"per_class": per_class, "macro_f1": float(scores["f1"].mean())}
    return figures, bootstrap.classes(table, names)


def _answers(shop: Shop, questions: Questions, judge: Judge, unsupervised: Clusters) -> Tree:
    """Retrieval and attributes of the model, per query."""
    tree: Tree = {
        "retrieval": {scope: {} for scope in ("catalogue", "cluster", "unsupervised")},
        "attributes": {},
    }
    scopes = {
        "cluster": (shop.assignments, questions.cluster(shop.clusters)),
        "unsupervised": (unsupervised.assign(shop.encodings.code), questions.cluster(unsupervised)),
    }
    for method in METHODS:
        codes = questions.designs(method)
        everywhere = rank(shop.index, codes, DEEPEST, method, questions.own)
        tree["retrieval"]["catalogue"][method] = judge.retrieval(everywhere)
        for scope, (cluster, own) in scopes.items():
            near = rank(shop.index, codes, DEEPEST, method, questions.own, cluster, own)
            tree["retrieval"][scope][method] = judge.retrieval(near)
        for column, values in judge.attributes(everywhere).items():
            tree["attributes"].setdefault(column, {})[method] = values
    return tree


def _baselines(
    shop: Shop,
    questions: Questions,
    judge: Judge,
    features: baselines.Features,
    asked: baselines.Features,
    bootstrap: Bootstrap,
    seed: int,
) -> dict[str, _Measured]:
    like = clusters_like(shop, features, seed)
    points = {"pca": features.scores, "histogram": features.histograms}
    queries = {"pca": asked.scores, "histogram": asked.histograms}
    found = {
        name: by_distance(shop, questions, judge, points[name], queries[name], like[name]) for name in points
    }
    found["random"] = at_random(shop, questions, judge, seed)
    count = len(shop.catalogue.counts())
    clusters = {
        "pca": {
            "code": fit_kmeans(features.scores, count, seed),
            "mixture": fit_mixture(features.scores, count, seed),
        },
        "histogram": {"code": fit_kmeans(features.histograms, count, seed)},
        "random": {},
    }
    return {
        name: _Measured(
            tree,
            {
                kind: score_clusters(shop.catalogue.categories, each.assign(points[name]), bootstrap)
                for kind, each in clusters[name].items()
            },
            alone,
        )
        for name, (tree, alone) in found.items()
    }
