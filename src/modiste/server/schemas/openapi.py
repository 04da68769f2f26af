"""Parts of the OpenAPI description that a route's types do not give: binary and error responses, raw parameters."""

from __future__ import annotations

from typing import Any

from modiste.server.problems import MEDIA_TYPE

NO_STORE_HEADERS = {"Cache-Control": "no-store"}
STATUS_DESCRIPTIONS = {
    400: "The body is malformed.",
    401: "The key is missing or wrong.",
    403: "The read key cannot change the shop.",
    404: "Not found.",
    406: "The server offers none of the types in Accept.",
    413: "The body is too large.",
    415: "The media type is not supported.",
    422: "A parameter or field is invalid.",
    429: "Too many requests; Retry-After says when to retry.",
    503: "Not ready, too busy or too slow, or the shop on disk cannot be read.",
}

Responses = dict[int | str, dict[str, Any]]


def text_response(media_type: str) -> Responses:
    """Describe a response that is text."""
    return {200: {"description": "Successful response.", "content": {media_type: {"schema": {"type": "string"}}}}}


def binary_response(*media_types: str) -> Responses:
    """Describe a response that is a picture of one of these media types."""
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": "Successful response.", "content": {each: {"schema": schema} for each in media_types}}}


def error_responses(*statuses: int) -> Responses:
    """Describe the error responses with these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        each: {"description": STATUS_DESCRIPTIONS[each], "content": {MEDIA_TYPE: {"schema": schema}}}
        for each in statuses
    }


def text_parameter(name: str, description: str, *, required: bool = True) -> dict[str, Any]:
    """Describe a text parameter of the query."""
    return {"name": name, "in": "query", "required": required, "description": description, "schema": {"type": "string"}}


def share_parameter(name: str, description: str) -> dict[str, Any]:
    """Describe an optional parameter of the query that is a number from 0 to 1."""
    schema = {"type": "number", "minimum": 0, "maximum": 1}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
