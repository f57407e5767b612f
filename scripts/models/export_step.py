"""Writes a training folder for a decoder's model folder: export_step.py MODEL_FOLDER FOLDER [--lora RANK].

The folder holds step graphs without weights, and training.json, which says where each parameter lies in the model's own file.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from model import Config
from step_graph import lora_shapes, parameter_shapes, write_step

EMBEDDING = "embed_tokens.weight"
LORA_TARGETS = ("q_proj", "v_proj")
LORA_SCALE = 2.0  # alpha = 2 × rank, as is usual
DEFAULTS = ("attention_bias", "mlp_bias", "rope_scaling", "sliding_window", "quantization_config")


def configuration(folder: Path) -> Config:
    """Reads config.json of a Llama-like decoder. What this graph does not compute is refused, not left out."""
    fields = json.loads((folder / "config.json").read_text())
    if fields.get("model_type") != "llama":
        raise SystemExit(f"{folder}: model_type is {fields.get('model_type')}; step graphs exist for llama")
    for name in DEFAULTS:
        if fields.get(name):
            raise SystemExit(f"{folder}: {name} is {fields[name]}; step graphs have none")
    if fields.get("hidden_act", "silu") != "silu":
        raise SystemExit(f"{folder}: hidden_act is {fields['hidden_act']}; step graphs have silu")
    names = [name for name in Config.__dataclass_fields__ if name not in ("head_size", "num_key_value_heads")]
    sizes = {name: fields[name] for name in names if name in fields}
    shared = fields.get("num_key_value_heads", fields["num_attention_heads"])
    return Config(**sizes, num_key_value_heads=shared, head_size=fields.get("head_dim"))


def places(graph: onnx.GraphProto, config: Config) -> dict[str, str]:
    """Names the initialiser that holds each parameter, by the order in which a decoder uses them."""
    held = {each.name: each for each in graph.initializer if each.data_type == TensorProto.FLOAT}
    floats = {name: list(each.dims) for name, each in held.items()}
    used = list(dict.fromkeys(name for node in graph.node for name in node.input if len(floats.get(name, [])) in (1, 2)))
    shapes, found = parameter_shapes(config), {}
    for size in (1, 2):
        left = [name for name in used if len(floats[name]) == size and name not in found.values()]
        for parameter, shape in shapes.items():
            if len(shape) != size:
                continue
            match = next((name for name in left if floats[name] == shape), None)
            if match is None:
                raise SystemExit(f"the graph has no fp32 tensor {shape} left for {parameter}; export it in fp32 by export.py")
            found[parameter] = match
            left.remove(match)
    return {parameter: found[parameter] for parameter in shapes}


def folder_hash(folder: Path) -> str:
    """The model's hash as its card tells it."""
    return json.loads((folder / "card.json").read_text())["hash"]


def described(folder: Path, name: str) -> dict:
    content = (folder / name).read_bytes()
    return {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def first_factors(folder: Path, shapes: dict[str, list[int]]) -> str:
    """Draws A and leaves B at zero, so that training starts from the very model."""
    draw = np.random.default_rng(0)
    parts = [
        (draw.standard_normal(shape) / np.sqrt(shape[0])).astype("<f4") if name.endswith("A") else np.zeros(shape, "<f4")
        for name, shape in shapes.items()
    ]
    (folder / "initial.f32").write_bytes(b"".join(part.tobytes() for part in parts))
    return "initial.f32"


def tensors(shapes: dict[str, list[int]], where: dict[str, str] | None = None) -> list[dict]:
    return [
        {"name": name, "shape": shape} | ({} if where is None else {"initializer": where[name]}) for name, shape in shapes.items()
    ]


def write_training(model: Path, folder: Path, rank: int | None) -> None:
    """Writes graphs and training.json."""
    config = configuration(model)
    graph = onnx.load(model / "model.onnx", load_external_data=False).graph
    folder.mkdir(parents=True, exist_ok=True)
    factors = None if rank is None else lora_shapes(config, rank, LORA_TARGETS)
    write_step(folder / "step.onnx", config, True, factors, LORA_SCALE)
    write_step(folder / "mixed.onnx", config, True, factors, LORA_SCALE, mixed=True)
    write_step(folder / "loss.onnx", config, False, factors, LORA_SCALE)
    graphs = {"step": "step.onnx", "loss": "loss.onnx", "mixed": "mixed.onnx"}
    files = list(graphs.values())
    card = {
        "format": 1,
        "name": folder.name,
        "model": {"name": json.loads((model / "card.json").read_text())["name"], "hash": folder_hash(model)},
        "vocabulary": config.vocab_size,
        "longest": config.max_position_embeddings,
        "tensors": tensors(parameter_shapes(config), places(graph, config)),
        "graphs": graphs,
    }
    if factors is not None:
        initial = first_factors(folder, factors)
        files.append(initial)
        card["lora"] = {"scale": LORA_SCALE, "tensors": tensors(factors), "initial": initial}
    card["files"] = [described(folder, name) for name in files]
    (folder / "training.json").write_text(json.dumps(card, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lora", type=int, help="rank of the factors that are trained in place of the whole model")
    options = parser.parse_args()
    write_training(options.model, options.folder, options.lora)


if __name__ == "__main__":
    main()
