"""evaluate: the paper's tables for a shop, beside the paper's figures and beside simpler methods."""

from __future__ import annotations

from typing import Any

from modiste.errors import BadCount
from modiste.evaluate import baselines
from modiste.evaluate.baselines import MAX_DEPTH, evaluate_distance, evaluate_random, matching_clusters
from modiste.evaluate.bootstrap import Bootstrap, MethodResult, Tree
from modiste.evaluate.cluster_agreement import score_clusterings, score_clusters
from modiste.evaluate.notes import cluster_disagreement_notes, small_group_notes
from modiste.evaluate.paper_results import PAPER_RESULTS
from modiste.evaluate.queries import QuerySet, queries_from_catalogue, queries_from_source
from modiste.evaluate.ranking import rank
from modiste.evaluate.recommendations import evaluate_recommendations
from modiste.evaluate.reconstruction import evaluate_reconstruction
from modiste.evaluate.relevance import ForegroundColours, RelevanceScorer
from modiste.evaluate.slider_independence import slider_independence
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.progress import Progress, report
from modiste.search.index import METHODS
from modiste.shop.shop import Shop


def evaluate(
    shop: Shop, queries: str | None = None, per_category: int = 500, seed: int = 0, on_progress: Progress | None = None
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
        report(on_progress, "evaluate", count, steps)

    done(0)
    questions = (
        queries_from_catalogue(shop, per_category, seed)
        if queries is None
        else queries_from_source(shop, queries, per_category, seed)
    )
    notes = questions.notes + small_group_notes(shop) + cluster_disagreement_notes(shop, questions)
    bootstrap = Bootstrap(seed)
    done(1)
    components = baselines.shop_pca(shop, seed)
    features = baselines.compute_features(baselines.iter_shop_photos(shop, shop.catalogue.ids), components)
    asked = (
        features.take(questions.product_rows)
        if questions.jpegs is None
        else baselines.compute_features(baselines.iter_decoded_photos(questions.jpegs), components)
    )
    judge = RelevanceScorer(shop, questions, ForegroundColours(features.colours, asked.colours))
    done(2)
    clusters, unsupervised = score_clusterings(shop, bootstrap, seed, notes)
    done(3)
    measured = _retrieval_values(shop, questions, judge, unsupervised)
    done(4)
    measured["recommendations"], spreads = evaluate_recommendations(shop, questions, judge, seed)
    done(5)
    (drawn, mosaic), (pca_drawn, pca_mosaic) = evaluate_reconstruction(shop, questions, components, seed)
    if not len(drawn["mse"]):
        notes.append("The model held out no photos that the catalogue still has: no reconstruction is measured.")
    measured["reconstruction"] = drawn
    done(6)
    simpler = _baseline_results(shop, questions, judge, features, asked, bootstrap, seed)
    simpler["pca"].values["reconstruction"] = pca_drawn
    simpler["pca"].single_figures["reconstruction"] = pca_mosaic
    done(7)
    own = MethodResult(
        measured,
        clusters,
        {"recommendations": spreads, "reconstruction": mosaic, "latents": slider_independence(shop, seed)},
    )
    result = own.figures() | {
        "baselines": {name: each.figures() for name, each in simpler.items()},
        "paper": PAPER_RESULTS,
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


def _retrieval_values(shop: Shop, questions: QuerySet, judge: RelevanceScorer, unsupervised: Clusters) -> Tree:
    """Retrieval and attributes of the model, per query."""
    tree: Tree = {"retrieval": {scope: {} for scope in ("catalogue", "cluster", "unsupervised")}, "attributes": {}}
    scopes = {
        "cluster": (shop.assignments, questions.assign_clusters(shop.clusters)),
        "unsupervised": (unsupervised.assign(shop.encodings.code), questions.assign_clusters(unsupervised)),
    }
    for method in METHODS:
        codes = questions.codes(method)
        everywhere = rank(shop.index, codes, MAX_DEPTH, method, questions.product_rows)
        tree["retrieval"]["catalogue"][method] = judge.retrieval(everywhere)
        for scope, (cluster, own) in scopes.items():
            near = rank(shop.index, codes, MAX_DEPTH, method, questions.product_rows, cluster, own)
            tree["retrieval"][scope][method] = judge.retrieval(near)
        for column, values in judge.attribute_agreement(everywhere).items():
            tree["attributes"].setdefault(column, {})[method] = values
    return tree


def _baseline_results(
    shop: Shop,
    questions: QuerySet,
    judge: RelevanceScorer,
    features: baselines.BaselineFeatures,
    asked: baselines.BaselineFeatures,
    bootstrap: Bootstrap,
    seed: int,
) -> dict[str, MethodResult]:
    like = matching_clusters(shop, features, seed)
    points = {"pca": features.scores, "histogram": features.histograms}
    queries = {"pca": asked.scores, "histogram": asked.histograms}
    found = {
        name: evaluate_distance(shop, questions, judge, points[name], queries[name], like[name]) for name in points
    }
    found["random"] = evaluate_random(shop, questions, judge, seed)
    count = len(shop.catalogue.counts())
    clusters = {
        "pca": {"code": fit_kmeans(features.scores, count, seed), "mixture": fit_mixture(features.scores, count, seed)},
        "histogram": {"code": fit_kmeans(features.histograms, count, seed)},
        "random": {},
    }
    return {
        name: MethodResult(
            tree,
            {
                kind: score_clusters(shop.catalogue.categories, each.assign(points[name]), bootstrap)
                for kind, each in clusters[name].items()
            },
            alone,
        )
        for name, (tree, alone) in found.items()
    }
