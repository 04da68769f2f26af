"""evaluate: the paper's tables for a shop, beside the paper's figures and beside simpler methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCount
from modiste.evaluate import baselines
from modiste.evaluate.intervals import Bootstrap, Tree, means
from modiste.evaluate.judge import DEPTHS, Judge, spread
from modiste.evaluate.metrics import class_scores, confusion, match_clusters, predictions, psnr, squared_error
from modiste.evaluate.paper import PAPER
from modiste.evaluate.questions import Questions, from_catalogue, from_source
from modiste.evaluate.ranking import rank, rank_at_random, rank_shifted
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.search.index import METHODS, LatentIndex
from modiste.shop.progress import Progress, tell
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

DEEPEST = max(DEPTHS)
RECOMMENDED = 3  # per other cluster
ASTRAY = 0.01
MOST_DRAWN = 2000  # held-out photos to reconstruct


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
        `retrieval.<catalogue|cluster>.<method>.{"10", "25", "50", "500"}`: mAP;
        `attributes.<column>.<method>`: the mean share of the top 10 in the catalogue that agree with the query;
        `recommendations.<method>.{base_colour, chance, answers, distinct, largest_share}`;
        `reconstruction.{psnr, mse}`: held out (of unseen photos with `queries`), dB and colours from 0 to 1, mean over
        photos; `baselines.<pca|histogram|random>.…`, `paper.…` and `intervals.…` in the same shapes;
        `products`, `queries`, `reconstructed`, `per_category`, `source`, `model`, `seed`, and `notes` on what was cut
        short. A figure that cannot be had is None.

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
    steps = 7

    def done(count: int) -> None:
        tell(on_progress, "evaluate", count, steps)

    done(0)
    questions = (
        from_catalogue(shop, per_category, seed)
        if queries is None
        else from_source(shop, queries, per_category, seed)
    )
    judge = Judge(shop, questions)
    notes = questions.notes + _short(shop) + _astray(shop, questions)
    bootstrap = Bootstrap(seed)
    done(1)
    clusters = _category_clusters(shop, bootstrap, seed, notes)
    done(2)
    measured, spreads = _answers(shop, questions, judge)
    done(3)
    components = baselines.shop_components(shop, seed)
    done(4)
    drawn, pca_drawn = _reconstructions(shop, questions, components, seed)
    if not len(drawn["mse"]):
        notes.append(
            "The model held out no photos that the catalogue still has: no reconstruction is measured."
        )
    done(5)
    simpler = _baselines(shop, questions, judge, components, bootstrap, seed)
    simpler["pca"].measured["reconstruction"] = pca_drawn
    done(6)
    measured["reconstruction"] = drawn
    own = _Measured(measured, clusters, spreads)
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
        "seed": seed,
        "notes": notes,
    }
    done(steps)
    return result


class _Measured:
    """Values per query in a tree, clusters' scores with their intervals, and figures that have none."""

    def __init__(self, measured: Tree, clusters: dict[str, tuple[Tree, Tree]], spreads: Tree) -> None:
        self.measured = measured
        self._clusters = clusters
        self._spreads = spreads

    def figures(self) -> Tree:
        tree = (
            {"clusters": {name: scores for name, (scores, _) in self._clusters.items()}}
            if self._clusters
            else {}
        )
        tree |= means(self.measured)
        for method, figures in self._spreads.items():
            tree["recommendations"][method] |= figures
        return tree

    def intervals(self, bootstrap: Bootstrap) -> Tree:
        tree = (
            {"clusters": {name: between for name, (_, between) in self._clusters.items()}}
            if self._clusters
            else {}
        )
        return tree | bootstrap.intervals(self.measured)


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
) -> dict[str, tuple[Tree, Tree]]:
    count = len(shop.catalogue.counts())
    mixture = fit_mixture(shop.encodings.code, count, seed)
    if mixture.method != "mixture":
        notes.append("There are too few products for a mixture: clusters.mixture is K-means.")
    found = {
        "code": fit_kmeans(shop.encodings.code, count, seed).assign(shop.encodings.code),
        "mean": fit_kmeans(shop.encodings.mean, count, seed).assign(shop.encodings.mean),
        "mixture": mixture.assign(shop.encodings.code),
        "shop": shop.assignments,
    }
    return {name: score_clusters(shop.catalogue.categories, each, bootstrap) for name, each in found.items()}


def score_clusters(categories: list[str], assigned: Ints, bootstrap: Bootstrap) -> tuple[Tree, Tree]:
    """Scores per class and macro-F1 of clusters `(N,)` against categories, and the intervals in the same shape."""
    names = sorted(set(categories))
    truth = np.array([names.index(each) for each in categories], np.intp)
    counts = confusion(truth, assigned, len(names), int(assigned.max()) + 1)
    table = predictions(counts, match_clusters(counts))
    scores = class_scores(table)
    per_class = {
        name: {score: float(values[row]) for score, values in scores.items()}
        for row, name in enumerate(names)
    }
    figures = {"per_class": per_class, "macro_f1": float(scores["f1"].mean())}
    return figures, bootstrap.classes(table, names)


def _answers(shop: Shop, questions: Questions, judge: Judge) -> tuple[Tree, Tree]:
    """Retrieval, attributes and recommendations of the model, per query; and how one-sided the latter are."""
    tree: Tree = {"retrieval": {"catalogue": {}, "cluster": {}}, "attributes": {}, "recommendations": {}}
    spreads: Tree = {}
    own = questions.cluster(shop)
    for method in METHODS:
        codes = questions.designs(method)
        ranked = rank(shop.index, codes, DEEPEST, method, questions.own)
        near = rank(shop.index, codes, DEEPEST, method, questions.own, shop.assignments, own)
        _file(tree, judge, method, ranked, near)
        recommended = recommend(shop, codes, method)
        tree["recommendations"][method] = judge.colour_travels(recommended, shop.assignments)
        spreads[method] = spread(recommended)
    return tree, spreads


def _file(tree: Tree, judge: Judge, method: str, everywhere: Ints, near: Ints) -> None:
    tree["retrieval"]["catalogue"][method] = judge.retrieval(everywhere)
    tree["retrieval"]["cluster"][method] = judge.retrieval(near)
    for column, values in judge.attributes(everywhere).items():
        tree["attributes"].setdefault(column, {})[method] = values


def recommend(shop: Shop, codes: NDArray[np.float32], method: Any) -> Ints:
    """The rows of what the shop itself recommends for codes `(b, n)`: `(b, (clusters − 1)·3)`, −1 where nothing."""
    width = max(1, len(shop.clusters) - 1) * RECOMMENDED
    rows = np.full((len(codes), width), -1, np.intp)
    answers: list[Any] = shop.recommend(codes, min(RECOMMENDED, len(shop.catalogue)), method)
    for query, answer in enumerate(answers):
        found = [shop.catalogue.row(match.id) for each in answer for match in each.matches]
        rows[query, : len(found)] = found
    return rows


def _reconstructions(
    shop: Shop, questions: Questions, components: baselines.Components, seed: int
) -> tuple[Tree, Tree]:
    """PSNR and squared error per photo, of the model and of PCA, on photos that neither was fitted to."""
    parts: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    if questions.jpegs is not None:
        batches = baselines.decode_batches(questions.jpegs)
        means_of = questions.posterior.mean
    else:
        ids = held_out(shop, seed)
        batches = baselines.read_photos(shop, ids)
        means_of = shop.encodings.mean[shop.catalogue.rows(ids)]
    start = 0
    for photos in batches:
        drawn = shop.decode(means_of[start : start + len(photos)])
        start += len(photos)
        simple = components.draw(components.project(photos), shop.frame)
        parts.append((squared_error(photos, drawn), squared_error(photos, simple)))
    ours, theirs = (np.concatenate([np.empty(0), *(part[side] for part in parts)]) for side in (0, 1))
    return {"psnr": psnr(ours), "mse": ours}, {"psnr": psnr(theirs), "mse": theirs}


def held_out(shop: Shop, seed: int, most: int = MOST_DRAWN) -> list[str]:
    """Products that the model was never trained on, at most `most`, drawn by `seed`; in the order of their ids."""
    known = set(shop.catalogue.ids)
    ids = sorted(each for each in shop.model.validation_ids if each in known)
    if len(ids) <= most:
        return ids
    chosen = np.random.default_rng([seed, 7]).choice(len(ids), most, replace=False)
    return [ids[row] for row in np.sort(chosen)]


def _baselines(
    shop: Shop,
    questions: Questions,
    judge: Judge,
    components: baselines.Components,
    bootstrap: Bootstrap,
    seed: int,
) -> dict[str, _Measured]:
    scores, histograms = baselines.features(baselines.read_photos(shop, shop.catalogue.ids), components)
    if questions.jpegs is None:
        asked, asked_histograms = scores[questions.own], histograms[questions.own]
    else:
        asked, asked_histograms = baselines.features(baselines.decode_batches(questions.jpegs), components)
    fit = fit_mixture if shop.clusters.method == "mixture" else fit_kmeans
    k = len(shop.clusters)
    pca_clusters = fit(scores, k, seed)
    found = {
        "pca": _by_distance(shop, questions, judge, scores, asked, pca_clusters),
        "histogram": _by_distance(
            shop, questions, judge, histograms, asked_histograms, fit_kmeans(histograms, k, seed)
        ),
        "random": _at_random(shop, questions, judge, seed),
    }
    count = len(shop.catalogue.counts())
    categories = shop.catalogue.categories
    clusters = {
        "pca": {"code": fit_kmeans(scores, count, seed), "mixture": fit_mixture(scores, count, seed)},
        "histogram": {"code": fit_kmeans(histograms, count, seed)},
        "random": {},
    }
    points = {"pca": scores, "histogram": histograms}
    return {
        name: _Measured(
            tree,
            {
                kind: score_clusters(categories, each.assign(points[name]), bootstrap)
                for kind, each in clusters[name].items()
            },
            spreads,
        )
        for name, (tree, spreads) in found.items()
    }


def _by_distance(
    shop: Shop,
    questions: Questions,
    judge: Judge,
    features: NDArray[np.float32],
    asked: NDArray[np.float32],
    clusters: Clusters,
) -> tuple[Tree, Tree]:
    """A baseline that ranks by the Euclidean distance of its own numbers `(N, m)`, in its own clusters."""
    cluster = clusters.assign(features)
    index = LatentIndex(shop.catalogue.ids, features, np.ones_like(features), features)
    tree: Tree = {"retrieval": {"catalogue": {}, "cluster": {}}, "attributes": {}, "recommendations": {}}
    ranked = rank(index, asked, DEEPEST, "mean", questions.own)
    near = rank(index, asked, DEEPEST, "mean", questions.own, cluster, clusters.assign(asked))
    _file(tree, judge, "euclidean", ranked, near)
    recommended = rank_shifted(index, asked, RECOMMENDED, "mean", clusters, cluster)
    tree["recommendations"]["euclidean"] = judge.colour_travels(recommended, cluster)
    return tree, {"euclidean": spread(recommended)}


def _at_random(shop: Shop, questions: Questions, judge: Judge, seed: int) -> tuple[Tree, Tree]:
    """Chance: any products; and in the scope "cluster", any of the shop's cluster that the query falls into."""
    tree: Tree = {"retrieval": {"catalogue": {}, "cluster": {}}, "attributes": {}}
    everywhere = rank_at_random(len(shop.catalogue), DEEPEST, questions.own, seed)
    near = rank_at_random(
        len(shop.catalogue), DEEPEST, questions.own, seed, shop.assignments, questions.cluster(shop)
    )
    _file(tree, judge, "random", everywhere, near)
    return tree, {}
