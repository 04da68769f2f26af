"""Filters as they are written on a command line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from modiste.errors import BadOption
from modiste.shop.filters import shown

WRITING = re.compile(r"([^=!<>]+?)\s*(!=|>=|<=|=)\s*(.+)", re.DOTALL)
WRITTEN = "Write name=value,value or name!=value, name>=number or name<=number, or a JSON object."


def parse_where(texts: Sequence[str]) -> dict[str, Any]:
    """A filter as written on a command line, all of which must fit: `colour=Red,Blue`, `gender!=Men`, `year>=2012`,
    `price<=50`, or JSON as `matching` takes it. Raises BadOption.
    """
    parts: list[dict[str, Any]] = []
    for text in texts:
        if text.lstrip().startswith("{"):
            try:
                parts.append(json.loads(text))
            except ValueError as error:
                raise BadOption(f"The filter {shown(text)} is not JSON: {error}.", remedy=WRITTEN) from None
            continue
        found = WRITING.fullmatch(text)
        if found is None:
            raise BadOption(f"The filter {shown(text)} cannot be read.", remedy=WRITTEN)
        name, sign, value = (part.strip() for part in found.groups())
        values = [each.strip() for each in value.split(",")]
        if sign in ("=", "!="):
            parts.append({name: values if sign == "=" else {"not": values}})
            continue
        try:
            bound = float(value)
        except ValueError:
            raise BadOption(f"{name} cannot be bounded by {shown(value)}.", remedy=WRITTEN) from None
        parts.append({name: {"min" if sign == ">=" else "max": bound}})
    return {"all": parts} if parts else {}
