"""The shapes of what the API is asked, as OpenAPI describes them. What is unknown or of another type is an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from modiste.shop.query import Grouping, Method, Metric, Scope

Code = Annotated[list[StrictFloat], Field(max_length=4096, description="One finite number per latent.")]
FilterValue = StrictBool | StrictInt | StrictFloat | StrictStr
ProductIds = Annotated[list[StrictStr], Field(max_length=1000)]
K = Annotated[StrictInt, Field(description="How many; fewer come where there are fewer.")]
RecommendMethod = Literal[
    "transport",
    "shift",
    "likelihood",
    "fixed-epsilon",
    "mean",
    "transport:likelihood",
    "transport:fixed-epsilon",
    "transport:mean",
    "shift:likelihood",
    "shift:fixed-epsilon",
    "shift:mean",
]
By = Literal["category", "cluster"]
METHOD_HELP = "How products are scored: by likelihood, or by the distance of codes or of means."
METRIC_HELP = "The distance, where the method is one."
Tau = Annotated[
    StrictFloat,
    Field(
        description="How uncertain the code itself is, for the likelihood: σ² becomes σ² + tau²; "
        "the shop's if left out."
    ),
]


class RequestModel(BaseModel):
    """A request: what it does not know is an error, so that a misspelt option is not silently left out."""

    model_config = ConfigDict(extra="forbid")


class FilterCondition(RequestModel):
    """A range of a number, both ends included; or values that are not wanted."""

    min: StrictFloat | None = None
    max: StrictFloat | None = None
    not_: list[FilterValue] | None = Field(None, alias="not")


# What stands for a filter within a filter: the shop checks it all, and how deep it goes.
NestedFilter = dict[str, Any]
Where = Annotated[
    dict[str, list[FilterValue] | FilterCondition | list[NestedFilter] | NestedFilter],
    Field(
        max_length=100,
        description="By attribute, or `category`: a list of values of which one must fit, a range, or values that are "
        "not wanted. All attributes must fit. Filters combine: `any` and `all` take a list of filters, `not` a filter.",
    ),
]


class QuerySource(RequestModel):
    """Where a question starts: exactly one of a code and a product."""

    code: Code | None = None
    product: StrictStr | None = Field(
        None, description="The id of a product: its fixed-epsilon code is the start."
    )


class SimilarRequest(QuerySource):
    k: K = 12
    method: Method = Field("likelihood", description=METHOD_HELP)
    metric: Metric = Field("euclidean", description=METRIC_HELP)
    scope: Scope = Field("cluster", description="Search the query's cluster, or the whole catalogue.")
    tau: Tau | None = None
    exclude: ProductIds = Field(
        [], description="Ids of products to leave out; the start's own is left out anyway."
    )
    where: Where = {}


class RecommendRequest(QuerySource):
    k: K = 3
    method: RecommendMethod = Field(
        "transport",
        description="How a code moves to another cluster, how products are scored there, or both as `shift:mean`.",
    )
    metric: Metric = Field("euclidean", description=METRIC_HELP)
    tau: Tau | None = None
    by: Grouping = Field(
        "category", description="One recommendation per other category, or per other cluster."
    )
    exclude: ProductIds = Field(
        [], description="Ids of products to leave out; the start's own is left out anyway."
    )
    where: Where = {}


class InterpolateRequest(RequestModel):
    a: Code
    b: Code
    steps: StrictInt = Field(15, ge=7, le=60, description="How many pictures, both ends included.")
    there_and_back: StrictBool = Field(
        False, description="Whether an animation goes back again, to loop smoothly."
    )
