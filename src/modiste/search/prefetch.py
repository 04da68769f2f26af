"""An LLVM prefetch intrinsic, to load the next block while the current one is scored.

Blocks are only a few pages long, and hardware prefetching stops at page boundaries: without this hint, a full scan
waits for memory at the start of every block.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

CACHE_LINE_FLOATS = 16  # float32 numbers in a cache line
READ_ACCESS, HIGH_LOCALITY, DATA_CACHE = 0, 3, 1  # arguments of LLVM's prefetch


def _prefetch(_: Any, array: Any, block: Any, row: Any, lane: Any) -> Any:
    """Prefetch the cache line of a three-dimensional array that holds [block, row, lane]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        target = context.make_array(kind)(context, builder, arguments[0])
        indices = [
            context.cast(builder, value, type_, types.intp)
            for value, type_ in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        item = cgutils.get_item_pointer(context, builder, kind, target, indices, wraparound=False)
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        signature_type = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, signature_type, "llvm.prefetch.p0i8")
        constants = [ir.Constant(word, value) for value in (READ_ACCESS, HIGH_LOCALITY, DATA_CACHE)]
        builder.call(function, [builder.bitcast(item, byte), *constants])
        return context.get_dummy_value()

    return types.void(array, block, row, lane), generate


prefetch: Any = intrinsic(_prefetch)
