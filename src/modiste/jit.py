"""Compilation with Numba: without the GIL, and cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(*, fastmath: set[str] | None = None) -> Callable[[F], F]:
    """Return a decorator that compiles a function at its first call.

    Infinities and NaNs keep their meaning. Without `fastmath`, sums keep their order, so that every machine gets the
    same result to the last bit; `fastmath` names the LLVM flags that give this up for speed.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath or False}

    def compile_function(function: F) -> F:
        try:
            kernel: Any = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no cache directory is writable, so each process compiles
            kernel = numba.njit(**options)(function)
        return cast(F, kernel)

    return compile_function
