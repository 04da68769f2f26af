"""A program that uses the generated client, with the Python of `.venv-tools`: see test_generated_client.py.

python tests/server/generated_client_program.py URL PHOTO
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from modiste_client import Client
from modiste_client.api.designs import decode, encode
from modiste_client.api.operations import metrics
from modiste_client.api.products import product, products
from modiste_client.api.search import recommend, similar
from modiste_client.api.shop import model_card, shop
from modiste_client.models import (
    EncodeFilesBody,
    EncodeResponse,
    Facet,
    FacetKind,
    Match,
    MatchCloseness,
    Problem,
    ProblemCode,
    ProblemReasonType0,
    Product,
    ProductDetail,
    ProductsPage,
    ProductsSort,
    QuerySource,
    RecommendRequest,
    RecommendRequestBy,
    RecommendRequestMethod,
    RecommendResponse,
    ShopInfo,
    SimilarRequest,
    SimilarRequestMethod,
    SimilarRequestScope,
    SimilarRequestWhere,
    SimilarResponse,
    SimilarResponseMethod,
    SimilarResponseScope,
    Typicality,
    TypicalityWord,
)
from modiste_client.types import File


def main(url: str, photo: Path) -> None:
    """Call the API at `url` and check the type of every answer."""
    with Client(url, raise_on_unexpected_status=True) as client:
        check_products(client)
        code = check_encode(client, photo)
        check_search(client, code)
        check_pictures_and_texts(client, code)
        check_problems(client)


def check_products(client: Client) -> None:
    info = shop.sync(client=client)
    assert isinstance(info, ShopInfo)
    assert all(isinstance(facet, Facet) and isinstance(facet.kind, FacetKind) for facet in info.facets)
    page = products.sync(client=client, size=5, sort=ProductsSort.RANDOM, seed=7)
    assert isinstance(page, ProductsPage)
    assert (page.page, page.size, page.total) == (1, 5, info.products)
    assert len(page.results) == 5
    assert all(isinstance(each, Product) for each in page.results)
    first = product.sync(page.results[0].id, client=client)
    assert isinstance(first, ProductDetail)
    assert (first.id, len(first.code), len(first.position)) == (page.results[0].id, info.latent, 2)


def form(photo: Path) -> EncodeFilesBody:
    return EncodeFilesBody(File(BytesIO(photo.read_bytes()), "photo.jpg", "image/jpeg"))


def check_encode(client: Client, photo: Path) -> list[float]:
    in_form = encode.sync(client=client, body=form(photo))
    as_body = encode.sync(client=client, body=File(BytesIO(photo.read_bytes())))
    assert isinstance(in_form, EncodeResponse)
    assert in_form == as_body
    assert isinstance(in_form.typicality, Typicality)
    assert isinstance(in_form.typicality.word, TypicalityWord)
    assert len(in_form.code) == len(in_form.mean) == len(in_form.std)
    uncut = encode.sync(client=client, body=form(photo), cut=False)
    assert isinstance(uncut, EncodeResponse)
    assert uncut.cut.done is False
    return in_form.code


def check_search(client: Client, code: list[float]) -> None:
    request = SimilarRequest(
        code=code, k=4, method=SimilarRequestMethod.MEAN, scope=SimilarRequestScope.CATALOGUE, exclude=["none"]
    )
    nearest = similar.sync(client=client, body=request)
    assert isinstance(nearest, SimilarResponse)
    assert (nearest.method, nearest.scope) == (SimilarResponseMethod.MEAN, SimilarResponseScope.CATALOGUE)
    assert len(nearest.results) == 4
    assert all(isinstance(each, Match) and isinstance(each.closeness, MatchCloseness) for each in nearest.results)
    category = nearest.results[0].category
    request.where = SimilarRequestWhere.from_dict({"category": [category]})
    filtered = similar.sync(client=client, body=request)
    assert isinstance(filtered, SimilarResponse)
    assert {each.category for each in filtered.results} == {category}

    goes_with = recommend.sync(
        client=client,
        body=RecommendRequest(
            product=nearest.results[0].id, k=2, method=RecommendRequestMethod.SHIFTMEAN, by=RecommendRequestBy.CATEGORY
        ),
    )
    assert isinstance(goes_with, RecommendResponse)
    assert goes_with.query.product == nearest.results[0].id
    assert goes_with.recommendations
    assert all(isinstance(each, Match) for row in goes_with.recommendations for each in row.results)
    assert category not in {row.category for row in goes_with.recommendations}


def check_pictures_and_texts(client: Client, code: list[float]) -> None:
    picture = decode.sync(client=client, body=QuerySource(code=code))
    assert isinstance(picture, File)
    assert picture.payload.read(3) == b"\xff\xd8\xff"
    card = model_card.sync(client=client)
    assert isinstance(card, str)
    assert card.startswith("---")
    counters = metrics.sync(client=client)
    assert isinstance(counters, str)
    assert "modiste_" in counters


def check_problems(client: Client) -> None:
    unknown = product.sync("no such product", client=client)
    assert isinstance(unknown, Problem)
    assert (unknown.code, unknown.status) == (ProblemCode.UNKNOWN_PRODUCT, 404)
    neither = decode.sync(client=client, body=QuerySource())
    assert isinstance(neither, Problem)
    assert neither.code is ProblemCode.BAD_OPTION
    refused = encode.sync(client=client, body=form(Path(__file__)))
    assert isinstance(refused, Problem)
    assert (refused.code, refused.reason) == (ProblemCode.PHOTO_ERROR, ProblemReasonType0.NOT_A_PHOTO)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
