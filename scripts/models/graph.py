"""Writes an ONNX graph operation by operation, its large tensors straight to a file beside it."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

OPSET = 20
IR_VERSION = 10
INLINE_BYTES = 1024  # tensors up to this stay in the graph's file, where shape inference sees their values
ALIGNMENT = 4096  # so that a runtime may map the file


class Graph:
    """A graph that grows; leaving the context writes it. Names of tensors are given by the caller and used once."""

    def __init__(self, path: Path):
        self.path = path
        self.data = path.with_name(f"{path.name}_data")
        self.nodes, self.inputs, self.outputs, self.tensors = [], [], [], {}

    def __enter__(self) -> "Graph":
        self.file = self.data.open("wb")
        return self

    def __exit__(self, kind, *_) -> None:
        self.file.close()
        if kind is not None:
            return
        if self.data.stat().st_size == 0:
            self.data.unlink()
        graph = helper.make_graph(self.nodes, "decoder", self.inputs, self.outputs, list(self.tensors.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="arbor")
        save(model, str(self.path))
        checker.check_model(str(self.path))

    def input(self, name: str, kind, shape: list) -> None:
        self.inputs.append(helper.make_tensor_value_info(name, type_of(kind), shape))

    def output(self, name: str, kind, shape: list) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, type_of(kind), shape))

    def node(self, op: str, inputs: list[str], output: str, domain: str = "", **attributes) -> str:
        """Adds an operation with one output and returns the output's name, which is the node's too."""
        if "to" in attributes:
            attributes["to"] = type_of(attributes["to"])
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def split(self, value: str, sizes: list[int], name: str) -> list[str]:
        """Cuts the last axis into parts."""
        outputs = [f"{name}.{index}" for index in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [value, self.whole(sizes)], outputs, name=name, axis=-1))
        return outputs

    def size(self, value: str, axis: int, name: str) -> str:
        """The size of one axis, as a scalar."""
        sizes = self.node("Shape", [value], f"{name}.sizes", start=axis, end=axis + 1)
        return self.node("Squeeze", [sizes], name)

    def scalar(self, value: int) -> str:
        return self.tensor(f"scalar_{value}", np.array(value, np.int64))

    def whole(self, values: list[int]) -> str:
        return self.tensor(f"whole_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def tensor(self, name: str, value: np.ndarray) -> str:
        """Adds values, once a name, and returns the name."""
        if name in self.tensors:
            return name
        if value.nbytes <= INLINE_BYTES:
            self.tensors[name] = numpy_helper.from_array(value, name)
            return name
        self.file.write(b"\0" * (-self.file.tell() % ALIGNMENT))
        tensor = TensorProto(name=name, data_type=type_of(value.dtype), dims=value.shape, data_location=TensorProto.EXTERNAL)
        where = {"location": self.data.name, "offset": self.file.tell(), "length": value.nbytes}
        for key, entry in where.items():
            tensor.external_data.add(key=key, value=str(entry))
        self.file.write(np.ascontiguousarray(value).tobytes())
        self.tensors[name] = tensor
        return name


def type_of(kind) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(kind))
