"""An ONNX graph that is built layer by layer.

torch's own exporter takes some 15 seconds to load and to trace two networks; building their few layers takes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

OPSET, IR_VERSION = 18, 8
Value = str | float | Sequence[int] | Tensor


class OnnxGraph:
    """The nodes and weights of a graph. Values are called by their names."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def add(self, operator: str, *inputs: Value, output: str | None = None, **attributes: Any) -> str:
        """Add a node, and return the name of its output. Numbers, lists of integers and tensors become weights."""
        from onnx import helper

        output = output or f"value{len(self._nodes)}"
        names = [each if isinstance(each, str) else self._add_weight(each) for each in inputs]
        self._nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def layers(self, x: str, modules: Iterable[nn.Module]) -> str:
        """Add torch's layers one after another, in evaluation mode, and return the name of the last output."""
        for module in modules:
            x = self._layer(x, module)
        return x

    def to_bytes(self, input_name: str, input_shape: Sequence[int], outputs: dict[str, Sequence[int]]) -> bytes:
        """Return the file of the graph, with a batch of any size; shapes are those of one item."""
        from onnx import TensorProto, checker, helper

        def describe(name: str, shape: Sequence[int]) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

        graph = helper.make_graph(
            self._nodes,
            "network",
            [describe(input_name, input_shape)],
            [describe(*each) for each in outputs.items()],
            self._weights,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="modiste"
        )
        checker.check_model(model)
        return model.SerializeToString()

    def _layer(self, x: str, module: nn.Module) -> str:
        if isinstance(module, nn.Sequential):
            return self.layers(x, module)
        # pyright does not know that a bias may be None.
        bias: Tensor | None = getattr(module, "bias", None)
        if isinstance(module, nn.Linear):
            return self.add("Gemm", x, module.weight, *([] if bias is None else [bias]), transB=1)
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            operator = "Conv" if isinstance(module, nn.Conv2d) else "ConvTranspose"
            parts = [module.weight, *([] if bias is None else [bias])]
            pads = [*map(int, module.padding)] * 2
            return self.add(operator, x, *parts, strides=[*module.stride], pads=pads)
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            mean, variance = module.running_mean, module.running_var
            assert mean is not None
            assert variance is not None
            return self.add("BatchNormalization", x, module.weight, module.bias, mean, variance, epsilon=module.eps)
        if isinstance(module, nn.LeakyReLU):
            return self.add("LeakyRelu", x, alpha=module.negative_slope)
        if isinstance(module, nn.Flatten):
            return self.add("Flatten", x)
        if isinstance(module, nn.PixelShuffle):
            return self.add("DepthToSpace", x, blocksize=module.upscale_factor, mode="CRD")
        raise NotImplementedError(type(module).__name__)

    def _add_weight(self, value: float | Sequence[int] | Tensor) -> str:
        from onnx import numpy_helper

        if isinstance(value, Tensor):
            array = value.detach().float().cpu().numpy()
        else:
            array = np.asarray(value, np.float32 if isinstance(value, float) else np.int64)
        name = f"weight{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name
