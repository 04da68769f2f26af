"""Asking the processor's memory for what the next block holds while this one is scored: a hint, not a read.

Blocks are only some pages long, and the processor's own guesses end at each page: without the hint a scan that reads
everything waits for memory at every block's start.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

CACHE_LINE_FLOATS = 16  # float32 numbers in a line of the cache
READ_ACCESS, HIGH_LOCALITY, DATA_CACHE = (
    0,
    3,
    1,
)  # what LLVM's prefetch is told: to read, to be kept near, data


def _prefetch(_: Any, array: Any, block: Any, row: Any, lane: Any) -> Any:
    """Have the line of a three-dimensional array that holds [block, row, lane] brought nearer; changes nothing."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, given[0])
        places = [
            context.cast(builder, value, had, types.intp)
            for value, had in zip(given[1:], signature.args[1:], strict=True)
        ]
        item = cgutils.get_item_pointer(context, builder, kind, held, places, wraparound=False)
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        wanted = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        hint = cgutils.get_or_insert_function(builder.module, wanted, "llvm.prefetch.p0i8")
        settings = [ir.Constant(word, each) for each in (READ_ACCESS, HIGH_LOCALITY, DATA_CACHE)]
        builder.call(hint, [builder.bitcast(item, byte), *settings])
        return context.get_dummy_value()

    return types.void(array, block, row, lane), generate


prefetch: Any = intrinsic(_prefetch)
