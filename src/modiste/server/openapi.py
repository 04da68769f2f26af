"""What OpenAPI says beside a route's own types: pictures, refusals, parameters that are read by hand."""

from __future__ import annotations

from typing import Any

from modiste.server.problems import MEDIA_TYPE

NO_STORE_HEADERS = {"Cache-Control": "no-store"}
STATUS_DESCRIPTIONS = {
    400: "The body cannot be read.",
    401: "Without a key that fits.",
    403: "With a key that may only look.",
    404: "There is no such thing here.",
    406: "None of the types that Accept names is offered.",
    413: "Too large.",
    415: "Of a type that is not read.",
    422: "What was asked cannot be done as asked.",
    429: "Too many requests; Retry-After says when to ask again.",
    503: "Not ready, too busy or too slow, or the shop on disk cannot be read.",
}

Responses = dict[int | str, dict[str, Any]]


def binary_response(*media_types: str) -> Responses:
    """An answer that is a picture, or text, of one of these types."""
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": "As asked.", "content": {each: {"schema": schema} for each in media_types}}}


def error_responses(*statuses: int) -> Responses:
    """The statuses with which a route refuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        each: {"description": STATUS_DESCRIPTIONS[each], "content": {MEDIA_TYPE: {"schema": schema}}}
        for each in statuses
    }


def text_parameter(
    name: str, description: str, *, location: str = "query", required: bool = True
) -> dict[str, Any]:
    """A parameter that is text."""
    return {
        "name": name,
        "in": location,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }
