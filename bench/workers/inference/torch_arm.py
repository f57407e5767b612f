"""The arm "torch" of bench/inference.ts: a Llama decoder in torch with a key-value cache, on the weights of the GGUF or ONNX file.

torch_arm.py JOB_FILE; greedy, one thread, float32, scaled_dot_product_attention; prints its figures as the last line.
"""

import json
import re
import resource
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional

WARM_UP_TOKENS = 8
FIRST_TOKENS = 5
LINEAR = ("q", "k", "v", "o", "gate", "up", "down")


def from_onnx(graph: Path, layers: int) -> dict:
    """Finds weights by the order of the graph's MatMuls: query, key, value, output, gate, up, down of each layer, then the head."""
    model = onnx.load(str(graph))
    values = {each.name: each for each in model.graph.initializer}

    def named(pattern: str) -> Tensor:
        name = next(name for name in values if re.search(pattern, name))
        return torch.from_numpy(numpy_helper.to_array(values[name]).copy())

    matrices = [values[each.input[1]] for each in model.graph.node if each.op_type == "MatMul" and each.input[1] in values]
    if len(matrices) < 7 * layers:
        raise SystemExit(f"{len(matrices)} weight matrices in the graph, not 7 × {layers}: name a GGUF file of the same weights")
    weights = [torch.from_numpy(np.ascontiguousarray(numpy_helper.to_array(each).T)) for each in matrices[: 7 * layers]]
    return {
        "embedding": named(r"embed_tokens\.weight$"),
        "norm": named(r"(^|\.)model\.norm\.weight$"),
        "layers": [
            {
                **dict(zip(LINEAR, weights[7 * index : 7 * index + 7], strict=True)),
                "before": named(rf"layers\.{index}\.input_layernorm\.weight$"),
                "after": named(rf"layers\.{index}\.post_attention_layernorm\.weight$"),
            }
            for index in range(layers)
        ],
    }


def from_gguf(file: Path, config: dict) -> dict:
    """Reads weights; queries and keys have their halves interleaved there, which is undone."""
    from gguf import GGUFReader

    values = {each.name: each for each in GGUFReader(str(file)).tensors}

    def named(name: str) -> Tensor:
        each = values[f"{name}.weight"]
        return torch.from_numpy(np.array(each.data, np.float32).reshape([int(size) for size in reversed(each.shape)]))

    def halves(weight: Tensor, heads: int) -> Tensor:
        rows, columns = weight.shape
        return weight.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns).contiguous()

    def layer(index: int) -> dict:
        block = f"blk.{index}"
        return {
            "q": halves(named(f"{block}.attn_q"), config["num_attention_heads"]),
            "k": halves(named(f"{block}.attn_k"), config["num_key_value_heads"]),
            "v": named(f"{block}.attn_v"),
            "o": named(f"{block}.attn_output"),
            "gate": named(f"{block}.ffn_gate"),
            "up": named(f"{block}.ffn_up"),
            "down": named(f"{block}.ffn_down"),
            "before": named(f"{block}.attn_norm"),
            "after": named(f"{block}.ffn_norm"),
        }

    layers = [layer(index) for index in range(config["num_hidden_layers"])]
    return {"embedding": named("token_embd"), "norm": named("output_norm"), "layers": layers}


class Llama:
    """A decoder with grouped-query attention, rotary positions and a gated MLP."""

    def __init__(self, job: dict):
        self.config = json.loads((Path(job["folder"]) / "config.json").read_text())
        found = (
            from_onnx(Path(job["graph"]), self.config["num_hidden_layers"])
            if job["gguf"] is None
            else from_gguf(Path(job["gguf"]), self.config)
        )
        self.embedding, self.norm, self.layers = found["embedding"], found["norm"], found["layers"]
        size = self.config["head_dim"]
        powers = torch.arange(0, size, 2, dtype=torch.float32) / size
        self.frequencies = 1.0 / (self.config["rope_theta"] ** powers)

    def rms(self, x: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(x, (x.shape[-1],), weight, self.config["rms_norm_eps"])

    def step(self, ids: Tensor, seen: int, cache: list) -> tuple[Tensor, list]:
        """Runs the tokens [batch, length] after `seen` others; logits of the last position."""
        batch, length = ids.shape
        heads, shared, size = (self.config[key] for key in ("num_attention_heads", "num_key_value_heads", "head_dim"))
        angle = torch.arange(seen, seen + length, dtype=torch.float32)[:, None] * self.frequencies
        cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)

        def split(projected: Tensor, count: int) -> Tensor:
            return projected.view(batch, length, count, size).transpose(1, 2)

        def rotate(x: Tensor) -> Tensor:
            first, second = x.chunk(2, -1)
            return x * cos + torch.cat([-second, first], -1) * sin

        x, present = functional.embedding(ids, self.embedding), []
        for index, layer in enumerate(self.layers):
            normed = self.rms(x, layer["before"])
            query = rotate(split(functional.linear(normed, layer["q"]), heads))
            key = rotate(split(functional.linear(normed, layer["k"]), shared))
            value = split(functional.linear(normed, layer["v"]), shared)
            if cache:
                key, value = torch.cat([cache[index][0], key], 2), torch.cat([cache[index][1], value], 2)
            present.append((key, value))
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=length > 1, enable_gqa=True)
            x = x + functional.linear(mixed.transpose(1, 2).reshape(batch, length, -1), layer["o"])
            normed = self.rms(x, layer["after"])
            gate = functional.silu(functional.linear(normed, layer["gate"]))
            x = x + functional.linear(gate * functional.linear(normed, layer["up"]), layer["down"])
        return functional.linear(self.rms(x[:, -1], self.norm), self.embedding), present

    def generate_all(self, prompts: list, tokens: int) -> list:
        ids, seen, cache, rows = torch.tensor([each["ids"] for each in prompts]), 0, [], []
        for _ in range(tokens):
            logits, cache = self.step(ids, seen, cache)
            seen += ids.shape[1]
            ids = logits.argmax(-1, keepdim=True)
            rows.append(ids)
        return torch.cat(rows, 1).tolist()


def main() -> None:
    torch.set_num_threads(1)
    job = json.loads(Path(sys.argv[1]).read_text())
    model, measured, answers, used = Llama(job), [], [], 0
    prompts = job["prompts"]

    def take(count: int) -> list:
        nonlocal used
        used += count
        return [prompts[index % len(prompts)] for index in range(used - count, used)]

    def cpu_ms(action) -> float:
        before = time.process_time()
        action()
        return (time.process_time() - before) * 1000

    def add(what: str, unit: str, value: float) -> None:
        measured.append({"what": what, "unit": unit, "value": value})

    def first_token(each: list) -> float:
        return sorted(cpu_ms(lambda prompt=prompt: model.generate_all([prompt], 1)) for prompt in each)[len(each) >> 1]

    with torch.inference_mode():
        for batch in job["batches"]:
            model.generate_all(take(batch), WARM_UP_TOKENS)
            if batch == 1:
                add(f"first token, prompt of {len(prompts[0]['ids'])} tokens", "CPU ms", first_token(take(FIRST_TOKENS)))
                add(f"first token, prompt of {len(job['long'][0]['ids'])} tokens", "CPU ms", first_token(job["long"]))
            count, ms = 0, 0.0
            while count == 0 or count < job["least"]:
                chosen = take(batch)
                ms += cpu_ms(lambda chosen=chosen: answers.extend(model.generate_all(chosen, job["tokens"])))
                count += batch * job["tokens"]
            add(f"batch {batch}", "tokens a CPU second", count / ms * 1000)
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
            add(f"batch {batch}", "MB resident", resident)
    print(json.dumps({"measured": measured, "answers": answers}))


main()
