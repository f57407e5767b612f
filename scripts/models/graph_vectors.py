"""Writes test/vectors/graph: decoders of a few thousand weights as exporters write them, with what onnx and onnxruntime make of them.

graph_vectors.py FOLDER. Needs numpy, onnx and onnxruntime.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from graph import Graph
from smollm2 import Decoder

PROMPT = [5, 700, 31, 2, 900, 5, 64]


class Tiny:
    """Weights of a decoder of one layer, where smollm2.py looks for a GGUF file's."""

    layers, heads, shared, width, size = 1, 2, 1, 8, 4
    numbers = {
        "vocab_size": 1024,
        "context_length": 64,
        "rope.freq_base": 100.0,
        "feed_forward_length": 16,
        "attention.layer_norm_rms_epsilon": 1e-5,
    }

    def __init__(self) -> None:
        self.random = np.random.default_rng(6)
        self.drawn: dict[str, np.ndarray] = {}

    def __getitem__(self, key: str):
        return self.numbers[key]

    def weight(self, name: str) -> np.ndarray:
        kind = name.split(".")[-1]
        inputs = 16 if kind == "ffn_down" else 8
        outputs = {"token_embd": 1024, "ffn_gate": 16, "ffn_up": 16, "attn_k": 4, "attn_v": 4}.get(kind, 8)
        shape = (8,) if kind.endswith("norm") else (outputs, inputs)
        if name not in self.drawn:
            self.drawn[name] = self.random.normal(size=shape).astype(np.float32)
        return self.drawn[name]

    def turned(self, name: str, _heads: int) -> np.ndarray:
        return self.weight(name)


def export(path: Path, variant: str = "fp32") -> onnx.ModelProto:
    with Graph(path) as graph:
        Decoder(Tiny(), variant, graph).write()
    return onnx.load(path)


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Takes the hidden states' output away, and the casts of float32 to float32 that the writer leaves to the runtime."""
    graph = model.graph
    kept = [node for node in graph.node if node.output[0] not in ("last_hidden_state", "logits")]
    head = next(node for node in kept if node.output[0] == "head")
    head.output[0] = "logits"
    outputs = [value for value in graph.output if value.name != "last_hidden_state"]
    del graph.node[:], graph.output[:]
    graph.node.extend(kept)
    graph.output.extend(outputs)
    return model


def before_head(model: onnx.ModelProto, nodes: list, output: str) -> onnx.ModelProto:
    at = next(index for index, node in enumerate(model.graph.node) if "logits" in node.output)
    model.graph.node[at].input[0] = output
    for offset, node in enumerate(nodes):
        model.graph.node.insert(at + offset, node)
    return model


def constant(model: onnx.ModelProto, name: str, value: np.ndarray) -> str:
    model.graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def sliced(model: onnx.ModelProto) -> onnx.ModelProto:
    """As exporters that let the caller say how many of the last logits to keep."""
    graph = model.graph
    graph.input.append(helper.make_tensor_value_info("num_logits_to_keep", TensorProto.INT64, []))
    end, axis = constant(model, "end", np.array([2**62])), constant(model, "axis", np.array([1]))
    nodes = [
        helper.make_node("Neg", ["num_logits_to_keep"], ["first"]),
        helper.make_node("Unsqueeze", ["first", constant(model, "zero", np.array([0]))], ["starts"]),
        helper.make_node("Slice", ["norm", "starts", end, axis], ["kept"]),
    ]
    return before_head(model, nodes, "kept")


def last(model: onnx.ModelProto) -> onnx.ModelProto:
    names = [constant(model, name, np.array([value])) for name, value in (("from", -1), ("until", 2**62), ("along", 1))]
    return before_head(model, [helper.make_node("Slice", ["norm", *names], ["final"])], "final")


def capped(model: onnx.ModelProto) -> onnx.ModelProto:
    """A bias and a soft cap behind the head."""
    graph = model.graph
    head = next(node for node in graph.node if "logits" in node.output)
    head.output[0] = "product"
    bias = constant(model, "head_bias", np.linspace(-1, 1, 1024).astype(np.float32))
    cap = constant(model, "cap", np.array(30, np.float32))
    graph.node.extend([
        helper.make_node("Add", [bias, "product"], ["sum"]),
        helper.make_node("Div", ["sum", cap], ["share"]),
        helper.make_node("Tanh", ["share"], ["bent"]),
        helper.make_node("Mul", ["bent", cap], ["logits"]),
    ])
    return model


def torchlike(model: onnx.ModelProto) -> onnx.ModelProto:
    """Norms as torch's exporter writes them: x · (1 / √v)."""
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Div" and node.output[0].endswith(".unit"):
            inverse = f"{node.output[0]}.inverse"
            nodes.append(helper.make_node("Reciprocal", [node.input[1]], [inverse]))
            node = helper.make_node("Mul", [node.input[0], inverse], list(node.output))
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Logits in float16, as exports of fp16 models give them."""
    model = bare(model)
    next(value for value in model.graph.output if value.name == "logits").type.tensor_type.elem_type = TensorProto.FLOAT16
    return model


def brain(model: onnx.ModelProto) -> onnx.ModelProto:
    """One weight in bfloat16, cast back."""
    tensor = next(each for each in model.graph.initializer if each.name == "layer_0.down.weight")
    bits = (numpy_helper.to_array(tensor).view(np.uint32) >> 16).astype(np.uint16)
    small = TensorProto(name="small", data_type=TensorProto.BFLOAT16, dims=tensor.dims, raw_data=bits.tobytes())
    model.graph.initializer.remove(tensor)
    model.graph.initializer.append(small)
    model.graph.node.insert(0, helper.make_node("Cast", ["small"], ["layer_0.down.weight"], to=TensorProto.FLOAT))
    return model


def read(path: Path) -> dict:
    """What onnx's own reader finds."""
    graph = onnx.load(path).graph

    def value(each) -> dict:
        tensor = each.type.tensor_type
        dims = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in tensor.shape.dim]
        return {"name": each.name, "type": tensor.elem_type, "dims": dims}

    return {
        "nodes": [[node.op_type, list(node.input), list(node.output)] for node in graph.node],
        "initialisers": [
            [each.name, each.data_type, list(each.dims), hashlib.sha256(numpy_helper.to_array(each).tobytes()).hexdigest()]
            for each in graph.initializer
        ],
        "inputs": [value(each) for each in graph.input],
        "outputs": [value(each) for each in graph.output],
    }


def run(path: Path, name: str) -> dict:
    """Logits of the last row, and the hidden states where the graph has them."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    length = len(PROMPT)
    known = {
        "input_ids": np.array([PROMPT]),
        "attention_mask": np.ones((1, length), np.int64),
        "position_ids": np.arange(length)[None],
        "num_logits_to_keep": np.array(0),
    }
    kind = np.float16 if name.startswith("half") else np.float32
    feeds = {each.name: known.get(each.name, np.zeros((1, 1, 0, 4), kind)) for each in session.get_inputs()}
    outputs = [each.name for each in session.get_outputs() if not each.name.startswith("present")]
    results = dict(zip(outputs, session.run(outputs, feeds), strict=True))
    return {name: value[0, -1].astype(np.float32).round(5).tolist() for name, value in results.items()}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / "scratch.onnx"

    def plain(variant: str = "fp32") -> onnx.ModelProto:
        return export(scratch, variant)

    models = {
        "plain": bare(plain()),
        "whole": plain(),
        "sliced": sliced(bare(plain())),
        "last": last(bare(plain())),
        "capped": capped(bare(plain())),
        "torchlike": torchlike(bare(plain())),
        "half": half(plain("fp16")),
        "half-whole": plain("fp16"),
        "brain": brain(bare(plain())),
    }
    for name, model in models.items():
        onnx.save(model, folder / f"{name}.onnx")
    external = {"save_as_external_data": True, "location": "outside.onnx_data", "size_threshold": 256}
    onnx.save(bare(plain()), folder / "outside.onnx", **external)
    untied = bare(plain())
    head = next(node for node in untied.graph.node if "logits" in node.output)
    embedding = next(each for each in untied.graph.initializer if each.name == "embedding")
    head.input[1] = constant(untied, "head_copy", np.ascontiguousarray(numpy_helper.to_array(embedding).T))
    onnx.save(untied, scratch)
    floats = {"DefaultTensorType": TensorProto.FLOAT}
    quantize_dynamic(scratch, folder / "dynamic.onnx", weight_type=QuantType.QInt8, extra_options=floats)
    for path in folder.glob("scratch*"):
        path.unlink()
    report = {}
    for path in sorted(folder.glob("*.onnx")):
        name = path.stem
        report[name] = {"read": read(path), **({} if name == "brain" else {"run": run(path, name)})}
    (folder / "expected.json").write_text(json.dumps({"prompt": PROMPT, "graphs": report}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
