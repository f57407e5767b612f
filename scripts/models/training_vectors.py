"""Writes test vectors of training by torch: training_vectors.py (MODEL_FOLDER TRAINING_FOLDER)… FILE.

Eight steps of AdamW on a short vector, and eight on a model by windows that a formula draws, whole or by LoRA's factors: losses, norms of
gradients by tensor, and some of the parameters at the end.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.func import functional_call, grad_and_value

from export_step import EMBEDDING, configuration
from model import LanguageModel

TERMS = {"learningRate": 1e-3, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.1, "clipNorm": 1.0}
STEPS, BATCH, LENGTH = 8, 4, 32
STREAM = 4000


def optimiser(parameters: list[Tensor]) -> torch.optim.AdamW:
    betas = (TERMS["beta1"], TERMS["beta2"])
    return torch.optim.AdamW(parameters, lr=TERMS["learningRate"], betas=betas, eps=TERMS["epsilon"], weight_decay=TERMS["weightDecay"])


def step(update: torch.optim.AdamW, parameters: list[Tensor], gradients: list[Tensor]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    torch.nn.utils.clip_grad_norm_(parameters, TERMS["clipNorm"])
    update.step()


def short() -> dict:
    """AdamW alone; every other gradient is long enough to be clipped."""
    draw = torch.Generator().manual_seed(1)
    start = torch.randn(24, generator=draw)
    gradients = [torch.randn(24, generator=draw) * (0.1 if index % 2 else 1.0) for index in range(STEPS)]
    parameter = start.clone().requires_grad_()
    update, after = optimiser([parameter]), []
    for gradient in gradients:
        step(update, [parameter], [gradient.clone()])
        after.append(parameter.detach().tolist())
    return {"start": start.tolist(), "gradients": [each.tolist() for each in gradients], "after": after}


def tokens(vocabulary: int) -> np.ndarray:
    index = np.arange(STREAM)
    return (index * 7919 + index // 8) % vocabulary


def windows(stream: np.ndarray, number: int) -> Tensor:
    starts = [(row * 100 + number * 37) % (STREAM - LENGTH - 1) for row in range(BATCH)]
    return torch.from_numpy(np.stack([stream[start : start + LENGTH + 1] for start in starts]))


def trained(model: Path, folder: Path) -> dict:
    config = configuration(model)
    card = json.loads((folder / "training.json").read_text())
    held = {each.name: numpy_helper.to_array(each).copy() for each in onnx.load(model / "model.onnx").graph.initializer}
    base = {each["name"]: torch.from_numpy(held[each["initializer"]]) for each in card["tensors"]}
    values, lora = base, card.get("lora")
    if lora is not None:
        flat, at, values = np.fromfile(folder / lora["initial"], "<f4"), 0, {}
        for each in lora["tensors"]:
            size = int(np.prod(each["shape"]))
            values[each["name"]] = torch.from_numpy(flat[at : at + size].reshape(each["shape"]).copy())
            at += size
    network, stream = LanguageModel(config), tokens(config.vocab_size)

    def loss(of: dict[str, Tensor], batch: Tensor) -> Tensor:
        whole = {**base, **of} if lora is None else merged(of)
        turned = {name: part.t() if part.dim() == 2 and name != EMBEDDING else part for name, part in whole.items()}
        logits = functional_call(network, turned, (batch[:, :-1],))
        return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch[:, 1:].reshape(-1))

    def merged(of: dict[str, Tensor]) -> dict[str, Tensor]:
        adapted = {name.removesuffix(".lora_A") for name in of if name.endswith(".lora_A")}
        more = {f"{part}.weight": lora["scale"] * of[f"{part}.lora_A"] @ of[f"{part}.lora_B"] for part in adapted}
        return {name: part + more[name] if name in more else part for name, part in base.items()}

    names = list(values)
    parameters = [values[name].clone().requires_grad_() for name in names]
    update, losses, norms = optimiser(parameters), [], []
    for number in range(STEPS):
        of = {name: parameter.detach() for name, parameter in zip(names, parameters, strict=True)}
        gradients, value = grad_and_value(loss)(of, windows(stream, number))
        losses.append(value.item())
        norms.append([gradients[name].norm().item() for name in names])
        step(update, parameters, [gradients[name] for name in names])
    end = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    stride = max(1, len(end) // 400)
    return {
        "model": model.as_posix(),
        "folder": folder.as_posix(),
        "vocabulary": config.vocab_size,
        "losses": losses,
        "norms": norms[0],
        "stride": stride,
        "after": end[::stride].tolist(),
    }


def main() -> None:
    torch.set_num_threads(1)
    pairs = zip(sys.argv[1:-1:2], sys.argv[2:-1:2], strict=True)
    runs = [trained(Path(model), Path(folder)) for model, folder in pairs]
    content = {"terms": TERMS, "steps": STEPS, "batch": BATCH, "length": LENGTH, "stream": STREAM, "short": short(), "runs": runs}
    Path(sys.argv[-1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[-1]).write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
