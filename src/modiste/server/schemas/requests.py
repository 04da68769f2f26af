"""Models of the requests. An unknown field or another type is an error."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from modiste.choices import Grouping, Method, Metric, RecommendMethod, Scope

Code = Annotated[list[StrictFloat], Field(max_length=4096, description="One finite number per latent.")]
FilterValue = StrictBool | StrictInt | StrictFloat | StrictStr
ProductIds = Annotated[list[StrictStr], Field(max_length=1000)]
K = Annotated[StrictInt, Field(description="Number of products; a smaller shop returns fewer.")]
METHOD_HELP = "How products are scored: by likelihood, or by the distance of codes or of means."
METRIC_HELP = "The distance, where the method is one."
Tau = Annotated[
    StrictFloat,
    Field(description="The code's own uncertainty in the likelihood: σ² becomes σ² + tau². The default is the shop's."),
]


class RequestModel(BaseModel):
    """A request. An unknown field is an error, so that a misspelt option is not ignored."""

    model_config = ConfigDict(extra="forbid")


class FilterCondition(RequestModel):
    """A range of numbers, both ends included, or excluded values."""

    min: StrictFloat | None = None
    max: StrictFloat | None = None
    not_: list[FilterValue] | None = Field(None, alias="not")


# A filter within a filter; the shop checks its content and depth.
NestedFilter = dict[str, Any]
Where = Annotated[
    dict[str, list[FilterValue] | FilterCondition | list[NestedFilter] | NestedFilter],
    Field(
        max_length=100,
        description="By attribute, or `category`: a list of allowed values, a range, or excluded values. All "
        "attributes must match. Filters combine: `any` and `all` take a list of filters, `not` a filter.",
    ),
]


class QuerySource(RequestModel):
    """Starting point of a query: exactly one of a code and a product."""

    code: Code | None = None
    product: StrictStr | None = Field(None, description="The id of a product, whose fixed-epsilon code is used.")


EXEMPLAR_HELP = (
    "The id of the product whose details are drawn; `auto`: of the ten nearest products, the one whose own drawing is "
    "closest; null: none, the decoder alone draws."
)
Exemplar = Annotated[StrictStr | None, Field(description=EXEMPLAR_HELP)]


class DecodeRequest(QuerySource):
    """A request for the picture of a code."""

    exemplar: Exemplar = "auto"


class ConditionRequest(RequestModel):
    """A request for a code near real products."""

    code: Code
    fixed: list[StrictInt] = Field(max_length=4096, description="The latents that keep their values.")
    directions: list[Code] = Field(
        [], max_length=100, description="What the code has along each of these directions is kept too."
    )


class SimilarRequest(QuerySource):
    """A request for similar products."""

    k: K = 12
    method: Method = Field("likelihood", description=METHOD_HELP)
    metric: Metric = Field("euclidean", description=METRIC_HELP)
    scope: Scope = Field("cluster", description="Search the query's cluster, or the whole catalogue.")
    tau: Tau | None = None
    exclude: ProductIds = Field([], description="Ids of products to leave out. `product` is always left out.")
    where: Where = {}


class RecommendRequest(QuerySource):
    """A request for recommendations."""

    k: K = 3
    method: RecommendMethod = Field(
        "transport",
        description="How a code moves to another cluster, how products are scored there, or both as `shift:mean`.",
    )
    metric: Metric = Field("euclidean", description=METRIC_HELP)
    tau: Tau | None = None
    by: Grouping = Field("category", description="One recommendation per other category, or per other cluster.")
    exclude: ProductIds = Field([], description="Ids of products to leave out. `product` is always left out.")
    where: Where = {}


class InterpolateRequest(RequestModel):
    """A request for the pictures between two codes."""

    a: Code
    b: Code
    steps: StrictInt = Field(15, ge=7, le=60, description="Number of pictures, both ends included.")
    exemplar_a: Exemplar = "auto"
    exemplar_b: Exemplar = "auto"
    there_and_back: StrictBool = Field(False, description="Whether an animation also goes back, to loop smoothly.")
