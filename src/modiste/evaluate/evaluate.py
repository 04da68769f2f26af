"""evaluate: the paper's tables for a shop, beside the paper's figures and beside simpler methods."""

from __future__ import annotations

from typing import Any

from modiste.errors import BadCount
from modiste.evaluate import baselines
from modiste.evaluate.baselines import (
    DEEPEST,
    at_random,
    by_distance,
    clusters_like,
)
from modiste.evaluate.bootstrap import Bootstrap, Measured, Tree
from modiste.evaluate.cluster_agreement import category_clusters, score_clusters
from modiste.evaluate.notes import gone_astray, too_short
from modiste.evaluate.paper_results import PAPER
from modiste.evaluate.queries import Questions, from_catalogue, from_source
from modiste.evaluate.ranking import rank
from modiste.evaluate.recommendations import recommendations
from modiste.evaluate.reconstruction import reconstructions
from modiste.evaluate.relevance import Judge, Looks
from modiste.evaluate.slider_independence import independence
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.progress import Progress, tell
from modiste.search.index import METHODS
from modiste.shop.shop import Shop


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
    notes = questions.notes + too_short(shop) + gone_astray(shop, questions)
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
    clusters, unsupervised = category_clusters(shop, bootstrap, seed, notes)
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
    own = Measured(
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
) -> dict[str, Measured]:
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
        name: Measured(
            tree,
            {
                kind: score_clusters(shop.catalogue.categories, each.assign(points[name]), bootstrap)
                for kind, each in clusters[name].items()
            },
            alone,
        )
        for name, (tree, alone) in found.items()
    }
