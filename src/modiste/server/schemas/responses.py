"""The shapes of what the API answers with, as OpenAPI describes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from modiste.shop.query import Method, Metric, Scope

# Lists, not tuples: what OpenAPI has for those is read wrongly by some programs.
Position = Annotated[list[float], Field(min_length=2, max_length=2)]
Closeness = Literal["almost the same", "very close", "close", "related", "distant"]
TypicalityWord = Literal["typical of the shop", "unusual", "unlike anything in the shop"]
FrameSize = Annotated[list[int], Field(min_length=2, max_length=2)]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457). `code` stays the same from version to version."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str
    reason: str | None = Field(None, description="Of a photo that is refused: one stable word.")


class Product(BaseModel):
    id: str
    title: str
    category: str
    cluster: int
    attributes: dict[str, Any]
    photo: str = Field(description="Where its photo is, from the server's root.")
    thumbnail: str = Field(description="Where its thumbnail is; `?height=` says how high.")


class Match(Product):
    score: float | None = Field(
        description="log q(code | product), higher is nearer; for the others the distance."
    )
    closeness: Closeness = Field(description="The score in words.")


class ProductDetail(Product):
    code: list[float]
    mean: list[float]
    std: list[float]
    position: Position = Field(description="On the map, 0 to 1.")


class ProductsPage(BaseModel):
    page: int
    size: int
    total: int
    results: list[Product]


class ClusterRef(BaseModel):
    number: int
    label: str
    category: str = Field(description="The category that most of its products have.")


class Cluster(ClusterRef):
    size: int


class ResolvedQuery(BaseModel):
    code: list[float]
    cluster: ClusterRef
    product: str | None = None


class Typicality(BaseModel):
    share: float = Field(description="Share of the shop's products that lie lonelier than the design.")
    word: TypicalityWord
    nearest: str = Field(description="The id of the nearest product.")


class SimilarResponse(BaseModel):
    query: ResolvedQuery
    method: Method
    scope: Scope
    results: list[Match]
    typicality: Typicality
    position: Position = Field(description="On the map, 0 to 1.")


class Recommendation(BaseModel):
    label: str
    category: str
    cluster: int
    results: list[Match]


class RecommendResponse(BaseModel):
    query: ResolvedQuery
    recommendations: list[Recommendation]


class Cutout(BaseModel):
    done: bool = Field(description="Whether the background was cut away.")
    share: float = Field(description="Share of the photo that is the product.")
    photo: str = Field(description="What the model saw: a JPEG in base64.")


class EncodeResponse(BaseModel):
    code: list[float]
    mean: list[float]
    std: list[float]
    cluster: ClusterRef
    typicality: Typicality
    cut: Cutout


class Category(BaseModel):
    name: str
    count: int
    average: list[float] = Field(description="The mean of its products' codes: a design.")


class FacetValue(BaseModel):
    value: Any
    count: int
    colour: str | None = Field(description="What it looks like, as #rrggbb, where it is a colour.")


class Facet(BaseModel):
    name: str
    kind: Literal["words", "number", "flag"]
    values: list[FacetValue]
    minimum: float | None
    maximum: float | None


class Limits(BaseModel):
    photo_bytes: int
    megapixels: int
    k: int
    page_size: int


class ShopInfo(BaseModel):
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
    latent: int
    name: str
    low: str
    high: str
    minimum: float
    maximum: float
    kl: float = Field(description="Nats that it carries, on average.")
    idle: bool
    effects: dict[str, float]


class AttributeSlider(BaseModel):
    attribute: str
    value: str | None
    name: str
    direction: list[float]
    minimum: float
    maximum: float
    share: float


class OpeningProduct(BaseModel):
    id: str
    title: str
    code: list[float]


class Sliders(BaseModel):
    model: str
    render_id: str = Field(description="Names the model and the slider ranges; /v1/render.jpg takes it.")
    size: FrameSize = Field(description="Width and height of every picture, in pixels.")
    latents: list[LatentSlider] = Field(description="In the order to show them.")
    attributes: list[AttributeSlider]
    average: list[float] = Field(description="The mean of all products' codes: a design.")
    first: OpeningProduct = Field(description="The product that the page opens with.")


class MapAttribute(BaseModel):
    values: list[str]
    colours: list[str | None]
    of: list[int] = Field(description="By product: a place in `values`, or -1.")


class CatalogueMap(BaseModel):
    categories: list[str]
    ids: list[str]
    category: list[int] = Field(description="By product: a place in `categories`.")
    x: list[float]
    y: list[float]
    attributes: dict[str, MapAttribute]


class LiveResponse(BaseModel):
    status: Literal["alive"]


class ReadyResponse(BaseModel):
    status: Literal["ready"]
    shop_version: str = Field(description="Changes with the model, the products or the clusters.")
    model: str
    catalogue: str = Field(
        description="The hash of the catalogue that model, encodings and index were checked with."
    )


class ServerLimits(Limits):
    body_bytes: int = Field(description="Of a request that is not a photo.")
    code_reach: float = Field(description="How far a code may lie outside the sliders' ranges, in ranges.")
    frames_per_second: float = Field(description="Of a client; twice that at once.")
    answers_per_second: float = Field(description="Of a client; twice that at once.")
    uploads_per_minute: float = Field(
        description="Of a client, photos and animations; a third of that at once."
    )
    others_per_second: float = Field(description="Of a client; twice that at once.")
    queue: int = Field(description="Requests that may wait for each kind of work.")
    deadline: float = Field(description="Seconds for a request.")


class VersionInfo(BaseModel):
    modiste_version: str
    model: str
    products: int
    limits: ServerLimits


class AdminStatus(BaseModel):
    shop_version: str = Field(description="The version that new visitors are served.")
    previous_version: str | None = Field(description="Still served to pages that were loaded with it.")
    model: str
    models: list[str] = Field(description="All that the shop has.")
    products: int
    refreshing: bool = Field(description="Whether an update is under way.")
    stage: str = Field(description="The stage of the update; empty if none is under way.")
    error: str = Field(description="Why the last change is not served; empty if it is.")
