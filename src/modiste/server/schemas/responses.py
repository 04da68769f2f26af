"""Models of the responses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from modiste.choices import Method, Metric, Scope
from modiste.errors import PhotoReason
from modiste.pipeline.product_changes import Step
from modiste.server.problems import ProblemCode
from modiste.shop.filters import ColumnKind
from modiste.shop.similarity_words import Closeness, TypicalityWord

# Lists, not tuples: some programs misread OpenAPI's form of a tuple.
Position = Annotated[list[float], Field(min_length=2, max_length=2)]
FrameSize = Annotated[list[int], Field(min_length=2, max_length=2)]


class Problem(BaseModel):
    """Why a request failed (RFC 9457). `code` is stable between versions."""

    type: str
    title: str
    status: int
    detail: str
    code: ProblemCode = Field(description="What went wrong.")
    remedy: str
    reason: PhotoReason | None = Field(None, description="Stable reason why a photo is refused.")


class Product(BaseModel):
    """A product."""

    id: str
    title: str
    category: str
    cluster: int
    attributes: dict[str, Any]
    photo: str = Field(description="Path of its photo.")
    thumbnail: str = Field(description="Path of its thumbnail; `?height=` sets its height in pixels.")


class Match(Product):
    """A product of a result."""

    score: float | None = Field(
        description="log q(code | product), higher is nearer; with a distance, lower is nearer."
    )
    closeness: Closeness = Field(description="The score in words.")


class ProductDetail(Product):
    """A product with its posterior and code."""

    code: list[float]
    mean: list[float]
    std: list[float]
    position: Position = Field(description="On the map, 0 to 1.")
    photo_hash: str = Field(description="Names its photo; see GET /v1/render.jpg.")


class ConditionResponse(BaseModel):
    """A code near real products."""

    code: list[float]


class ProductsPage(BaseModel):
    """A page of products."""

    page: int
    size: int
    total: int
    results: list[Product]


class ClusterRef(BaseModel):
    """A cluster by number."""

    number: int
    label: str
    category: str = Field(description="Its most frequent category.")


class Cluster(ClusterRef):
    """A cluster with its size."""

    size: int


class ResolvedQuery(BaseModel):
    """The query as it was understood."""

    code: list[float]
    cluster: ClusterRef
    product: str | None = None


class Typicality(BaseModel):
    """How typical a design is of the shop."""

    share: float = Field(
        description="Share of the shop's products that are farther from their neighbours than the design."
    )
    word: TypicalityWord
    nearest: str = Field(description="The id of the nearest product.")


class SimilarResponse(BaseModel):
    """Similar products, best first."""

    query: ResolvedQuery
    method: Method
    scope: Scope
    results: list[Match]
    typicality: Typicality
    position: Position = Field(description="On the map, 0 to 1.")


class Recommendation(BaseModel):
    """Recommended products of one other category or cluster."""

    label: str
    category: str
    cluster: int
    results: list[Match]


class RecommendResponse(BaseModel):
    """Recommendations."""

    query: ResolvedQuery
    recommendations: list[Recommendation]


class Cutout(BaseModel):
    """The photo that was encoded."""

    done: bool = Field(description="Whether the background was removed.")
    share: float = Field(description="Share of the photo that the product covers.")
    photo: str = Field(description="The encoded photo: a JPEG as base64.")


class EncodeResponse(BaseModel):
    """The posterior and code of a photo."""

    code: list[float]
    mean: list[float]
    std: list[float]
    cluster: ClusterRef
    typicality: Typicality
    cut: Cutout


class Category(BaseModel):
    """A category of the shop."""

    name: str
    count: int
    average: list[float] = Field(description="The mean of its products' codes.")


class FacetValue(BaseModel):
    """A value of a facet."""

    value: Any
    count: int
    colour: str | None = Field(description="Its colour as #rrggbb, if it names one.")


class Facet(BaseModel):
    """An attribute to filter by."""

    name: str
    kind: ColumnKind
    values: list[FacetValue]
    minimum: float | None
    maximum: float | None


class Limits(BaseModel):
    """Limits of requests."""

    photo_bytes: int
    megapixels: int
    k: int
    page_size: int


class ShopInfo(BaseModel):
    """The shop, and which queries it supports."""

    name: str
    products: int
    model: str
    render_id: str = Field(description="Names the model and the slider ranges; /v1/render.jpg takes it.")
    size: FrameSize = Field(description="Width and height of every picture, in pixels.")
    latent: int
    categories: list[Category]
    clusters: list[Cluster]
    facets: list[Facet]
    methods: list[Method]
    metrics: list[Metric]
    scopes: list[Scope]
    limits: Limits
    note: str


class LatentSlider(BaseModel):
    """The slider of a latent."""

    latent: int
    name: str
    low: str
    high: str
    minimum: float
    maximum: float
    kl: float = Field(description="Average information in nats.")
    idle: bool
    effects: dict[str, float]


class AttributeSlider(BaseModel):
    """A slider that changes one attribute."""

    attribute: str
    value: str | None
    name: str
    direction: list[float]
    minimum: float
    maximum: float
    share: float
    categories: list[str] = Field(description="The categories that have products with the value.")


class OpeningProduct(BaseModel):
    """The product that the page opens with."""

    id: str
    title: str
    code: list[float]
    photo_hash: str = Field(description="Names its photo; see GET /v1/render.jpg.")


class Mixture(BaseModel):
    """A Gaussian mixture of the catalogue's codes: `m` components over `n` latents."""

    weights: list[float] = Field(description="`m` numbers.")
    means: list[list[float]] = Field(description="`m` lists of `n` numbers.")
    covariances: list[list[list[float]]] = Field(description="`m` symmetric matrices of `n` by `n` numbers.")


class Sliders(BaseModel):
    """All sliders."""

    model: str
    render_id: str = Field(description="Names the model and the slider ranges; /v1/render.jpg takes it.")
    size: FrameSize = Field(description="Width and height of every picture, in pixels.")
    latents: list[LatentSlider] = Field(description="In display order.")
    attributes: list[AttributeSlider]
    average: list[float] = Field(description="The mean of all products' codes.")
    first: OpeningProduct = Field(description="The product that the page opens with.")


class MapAttribute(BaseModel):
    """A colour attribute of the map."""

    values: list[str]
    colours: list[str | None]
    of: list[int] = Field(description="By product: its index in `values`, or -1.")


class CatalogueMap(BaseModel):
    """The catalogue in two dimensions, column by column."""

    categories: list[str]
    ids: list[str]
    category: list[int] = Field(description="By product: its index in `categories`.")
    x: list[float]
    y: list[float]
    attributes: dict[str, MapAttribute]


class LiveResponse(BaseModel):
    """The server runs."""

    status: Literal["alive"]


class ReadyResponse(BaseModel):
    """The server is ready."""

    status: Literal["ready"]
    shop_version: str = Field(description="Changes with the model, the products or the clusters.")
    model: str
    catalogue: str = Field(description="Hash of the catalogue that model, encodings and index were checked against.")


class ServerLimits(Limits):
    """Limits of requests to this server."""

    body_bytes: int = Field(description="Of a body without a photo.")
    code_reach: float = Field(
        description="How far a code may exceed the sliders' ranges, as a multiple of their width."
    )
    frames_per_second: float = Field(description="Frames (drawn pictures) per client; bursts of twice as many.")
    queries_per_second: float = Field(
        description="Queries (similar products, recommendations) per client; bursts of twice as many."
    )
    uploads_per_minute: float = Field(description="Photos and animations per client; bursts of a third as many.")
    others_per_second: float = Field(description="Other requests per client; bursts of twice as many.")
    queue: int = Field(description="Requests that may wait for each thread pool.")
    deadline: float = Field(description="Seconds for a request.")


class VersionInfo(BaseModel):
    """Versions and limits."""

    modiste_version: str
    model: str
    products: int
    limits: ServerLimits


class AdminStatus(BaseModel):
    """What is served, and whether an update is under way."""

    shop_version: str = Field(description="The version that new visitors are served.")
    previous_version: str | None = Field(description="Still served to pages that were loaded with it.")
    model: str
    models: list[str] = Field(description="All models of the shop.")
    products: int
    refreshing: bool = Field(description="Whether an update is under way.")
    stage: Step | None = Field(description="The step of the update that runs, or null.")
    error: str = Field(description="Why the last change is not served; empty if it is.")
