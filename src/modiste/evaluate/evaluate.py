"""The evaluation of a shop: the paper's tables, with the paper's figures and baselines to compare with."""

from __future__ import annotations

from typing import Any

from modiste.errors import BadCount
from modiste.evaluate import baselines
from modiste.evaluate.baselines import MAX_DEPTH, evaluate_distance, evaluate_random, fit_baseline_clusters
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

STEPS = 8  # reported as progress


def evaluate(
    shop: Shop, queries: str | None = None, per_category: int = 500, seed: int = 0, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Evaluate a shop. The same seed draws the same queries and gives the same figures.

    Args:
        shop: the open shop.
        queries: a source of unseen photos as queries; None uses products of the catalogue, each left out of its own
            results.
        per_category: number of queries per category; a category with fewer photos uses all.
        seed: seed of everything that is drawn at random.
        on_progress: called with the progress; see `modiste.progress`.

    Returns:
        What `modiste evaluate --json` prints. A figure that cannot be computed is None.

        - `clusters.<code|mean|mixture|shop>.{per_class, macro_f1}`: K-means with as many clusters as categories on
          codes and on means, the merged mixture on codes, and the shop's own clusters.
        - `retrieval.<catalogue|cluster|unsupervised>.<method>.{"10", "25", "50", "500"}`: mAP.
        - `attributes.<column>.<method>`: mean share of the top 10 in the catalogue that agree with the query.
        - `recommendations.<method or transfer>.{base_colour, gender, usage, chance, ciede2000, answers, distinct,
          largest_share}`: each search method with the default transfer, each transfer with the default search method,
          and the baselines `printed`, `unshifted` and `random`.
        - `reconstruction.{psnr, mse, sharpness, mosaic}`: of held-out photos (of the unseen ones with `queries`), in dB
          and for colours from 0 to 1, mean over photos; see `reconstruction.evaluate_reconstruction`.
        - `latents.{total_correlation, pairwise_information, active, disentanglement}`: see
          `slider_independence.slider_independence`.
        - `baselines.<pca|histogram|random>.…`, `paper.…` and `intervals.…`: the same shape. A figure of all queries
          together does not have an interval.
        - `products`, `queries`, `reconstructed`, `per_category`, `source`, `model`, `clustered_by`, `seed`.
        - `notes`: remarks on the figures, such as a category with fewer queries.

    Raises:
        BadCount: the shop has fewer than two products, or `per_category` is below 1.
        SourceError: the source of queries cannot be used.
        UnknownCategory: the source of queries has no readable photo of a category of the shop.
        ModisteError: a part of the shop is missing or damaged.
    """
    if len(shop.catalogue) < 2:
        raise BadCount(
            f"The shop has {len(shop.catalogue)} product(s); an evaluation needs at least 2.",
            remedy="Ingest more products.",
        )

    def report_done(step_count: int) -> None:
        report(on_progress, "evaluate", step_count, STEPS)

    report_done(0)
    query_set = (
        queries_from_catalogue(shop, per_category, seed)
        if queries is None
        else queries_from_source(shop, queries, per_category, seed)
    )
    notes = query_set.notes + small_group_notes(shop) + cluster_disagreement_notes(shop, query_set)
    bootstrap = Bootstrap(seed)
    report_done(1)
    components = baselines.shop_pca(shop, seed)
    features = baselines.compute_features(baselines.iter_shop_photos(shop, shop.catalogue.ids), components)
    query_features = (
        features.take(query_set.product_rows)
        if query_set.jpegs is None
        else baselines.compute_features(baselines.iter_decoded_photos(query_set.jpegs), components)
    )
    scorer = RelevanceScorer(shop, query_set, ForegroundColours(features.colours, query_features.colours))
    report_done(2)
    clusters, unsupervised = score_clusterings(shop, bootstrap, seed, notes)
    report_done(3)
    values = _retrieval_values(shop, query_set, scorer, unsupervised)
    report_done(4)
    values["recommendations"], diversities = evaluate_recommendations(shop, query_set, scorer, seed)
    report_done(5)
    (reconstruction, mosaic), (pca_reconstruction, pca_mosaic) = evaluate_reconstruction(
        shop, query_set, components, seed
    )
    if not len(reconstruction["mse"]):
        notes.append("The catalogue has none of the photos that the training held out: reconstruction is not measured.")
    values["reconstruction"] = reconstruction
    report_done(6)
    baseline_results = _baseline_results(shop, query_set, scorer, features, query_features, bootstrap, seed)
    baseline_results["pca"].values["reconstruction"] = pca_reconstruction
    baseline_results["pca"].single_figures["reconstruction"] = pca_mosaic
    report_done(7)
    shop_result = MethodResult(
        values,
        clusters,
        {"recommendations": diversities, "reconstruction": mosaic, "latents": slider_independence(shop, seed)},
    )
    result = shop_result.figures() | {
        "baselines": {name: each.figures() for name, each in baseline_results.items()},
        "paper": PAPER_RESULTS,
        "intervals": shop_result.intervals(bootstrap)
        | {"baselines": {name: each.intervals(bootstrap) for name, each in baseline_results.items()}},
        "products": len(shop.catalogue),
        "queries": len(query_set),
        "reconstructed": len(reconstruction["mse"]),
        "per_category": per_category,
        "source": queries,
        "model": shop.model.model_id,
        "clustered_by": shop.clusters.method,
        "seed": seed,
        "notes": notes,
    }
    report_done(STEPS)
    return result


def _retrieval_values(shop: Shop, queries: QuerySet, scorer: RelevanceScorer, unsupervised: Clusters) -> Tree:
    """Return the model's scores of similar products, per query."""
    tree: Tree = {"retrieval": {scope: {} for scope in ("catalogue", "cluster", "unsupervised")}, "attributes": {}}
    scopes = {
        "cluster": (shop.assignments, queries.assign_clusters(shop.clusters)),
        "unsupervised": (unsupervised.assign(shop.encodings.code), queries.assign_clusters(unsupervised)),
    }
    for method in METHODS:
        codes = queries.codes(method)
        in_catalogue = rank(shop.index, codes, MAX_DEPTH, method, queries.product_rows)
        tree["retrieval"]["catalogue"][method] = scorer.retrieval(in_catalogue)
        for scope, (product_clusters, query_clusters) in scopes.items():
            in_cluster = rank(
                shop.index, codes, MAX_DEPTH, method, queries.product_rows, product_clusters, query_clusters
            )
            tree["retrieval"][scope][method] = scorer.retrieval(in_cluster)
        for column, values in scorer.attribute_agreement(in_catalogue).items():
            tree["attributes"].setdefault(column, {})[method] = values
    return tree


def _baseline_results(
    shop: Shop,
    queries: QuerySet,
    scorer: RelevanceScorer,
    features: baselines.BaselineFeatures,
    query_features: baselines.BaselineFeatures,
    bootstrap: Bootstrap,
    seed: int,
) -> dict[str, MethodResult]:
    search_clusters = fit_baseline_clusters(shop, features, seed)
    points = {"pca": features.scores, "histogram": features.histograms}
    query_points = {"pca": query_features.scores, "histogram": query_features.histograms}
    scores = {
        name: evaluate_distance(shop, queries, scorer, points[name], query_points[name], search_clusters[name])
        for name in points
    }
    scores["random"] = evaluate_random(shop, queries, scorer, seed)
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
            single_figures,
        )
        for name, (tree, single_figures) in scores.items()
    }
