"""Writes step graphs of a decoder: tokens and parameters in, loss and gradients out, for every batch and length. They hold no weights."""

from pathlib import Path

import numpy as np

from graph import Graph
from model import MASKED, Config
from tape import Tape, prune, rename

PARTS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


def parameter_shapes(config: Config) -> dict[str, list[int]]:
    """Tensors of a decoder by name; matrices lie as decoder graphs hold them, [in, out], which is Hugging Face's transposed."""
    width, inner = config.hidden_size, config.intermediate_size
    own, shared = config.num_attention_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    sizes = ([width, own], [width, shared], [width, shared], [own, width], [width, inner], [width, inner], [inner, width])
    shapes = {"embed_tokens.weight": [config.vocab_size, width]}
    for layer in range(config.num_hidden_layers):
        place = f"layers.{layer}."
        shapes[f"{place}input_layernorm.weight"] = [width]
        shapes |= {f"{place}{part}.weight": size for part, size in zip(PARTS[:4], sizes[:4], strict=True)}
        shapes[f"{place}post_attention_layernorm.weight"] = [width]
        shapes |= {f"{place}{part}.weight": size for part, size in zip(PARTS[4:], sizes[4:], strict=True)}
    shapes["norm.weight"] = [width]
    if not config.tie_word_embeddings:
        shapes["lm_head.weight"] = [width, config.vocab_size]
    return shapes


def lora_shapes(config: Config, rank: int, targets: tuple[str, ...]) -> dict[str, list[int]]:
    """The two narrow factors beside each matrix that is adapted."""
    shapes = {}
    for name, shape in parameter_shapes(config).items():
        part = name.removesuffix(".weight")
        if part.rsplit(".", 1)[-1] in targets:
            shapes[f"{part}.lora_A"] = [shape[0], rank]
            shapes[f"{part}.lora_B"] = [rank, shape[1]]
    return shapes


class StepGraph:
    """One decoder's forward pass on a tape."""

    def __init__(self, graph: Graph, config: Config, lora: dict[str, list[int]], scale: float, mixed: bool):
        self.graph, self.config, self.lora, self.scale = graph, config, lora, scale
        self.tape = Tape(graph, mixed)

    def cut(self, start: int, end: int, name: str) -> str:
        """Flat ids of columns [start, end) of the tokens."""
        whole = self.graph.whole
        part = self.graph.node("Slice", ["tokens", whole([start]), whole([end]), whole([1])], f"{name}.table")
        return self.graph.node("Reshape", [part, whole([-1])], name)

    def sizes(self) -> None:
        """Shapes that depend on the batch."""
        graph, c = self.graph, self.config
        batch = graph.node("Shape", ["tokens"], "batch", start=0, end=1)
        columns = graph.node("Shape", ["tokens"], "columns", start=1, end=2)
        self.length = graph.node("Sub", [columns, graph.whole([1])], "length")
        groups = c.num_attention_heads // c.num_key_value_heads
        shape = lambda name, *parts: graph.node("Concat", list(parts), name, axis=0)
        self.as_rows = lambda width: graph.whole([-1, width])
        self.as_batch = lambda width: shape_of(f"batch_{width}", batch, self.length, graph.whole([width]))
        made: dict[str, str] = {}

        def shape_of(name: str, *parts: str) -> str:
            if name not in made:
                made[name] = shape(name, *parts)
            return made[name]

        head = graph.whole([c.head_dim])
        self.split = {}
        for name, shared, per in (("query", c.num_key_value_heads, groups), ("key", c.num_key_value_heads, 1)):
            apart = shape(f"{name}.apart", batch, self.length, graph.whole([shared, per]), head)
            turned = shape(f"{name}.turned", batch, graph.whole([shared, per]), self.length, head)
            rows = graph.node("Mul", [self.length, graph.whole([per])], f"{name}.rows")
            joined = shape(f"{name}.joined", batch, graph.whole([shared]), rows, head)
            self.split[name] = (apart, turned, joined)

    def tables(self) -> None:
        """Angles of positions, and what keeps a token from seeing later ones."""
        graph, c, op = self.graph, self.config, self.tape.op
        scalar = op("Squeeze", self.length)
        positions = op("Range", graph.scalar(0), scalar, graph.scalar(1))
        powers = np.arange(0, c.head_dim, 2, dtype=np.float32) / np.float32(c.head_dim)
        frequencies = (1 / np.power(np.float32(c.rope_theta), powers)).astype(np.float32)
        steps = op("Unsqueeze", op("Cast", positions, to=np.float32), graph.whole([1]))
        angles = op("Mul", steps, graph.tensor("frequencies", frequencies[None]))
        self.cos, self.sin = op("Cos", angles), op("Sin", angles)
        self.against = op("Neg", self.sin)
        column, row = op("Unsqueeze", positions, graph.whole([1])), op("Unsqueeze", positions, graph.whole([0]))
        hidden = op("Where", op("Greater", row, column), self.tape.number(MASKED), self.tape.number(0.0))
        groups = c.num_attention_heads // c.num_key_value_heads
        self.mask = op("Tile", hidden, graph.whole([groups, 1]))

    def linear(self, x: str, part: str) -> str:
        result = self.tape.linear(x, f"{part}.weight")
        if f"{part}.lora_A" not in self.lora:
            return result
        narrow = self.tape.linear(self.tape.linear(x, f"{part}.lora_A"), f"{part}.lora_B")
        return self.tape.add(result, self.tape.scale(narrow, self.scale))

    def heads(self, rows: str, kind: str, count: int, turn: bool) -> str:
        """[rows, heads × size] to [batch, shared, groups × length, size]."""
        tape, width = self.tape, count * self.config.head_dim
        apart, turned, joined = self.split[kind]
        if turn:
            table = tape.reshape(rows, self.as_batch(width), self.as_rows(width))
            table = tape.rotate(table, self.cos, self.sin, self.against)
            parts = tape.reshape(table, apart, self.as_batch(width))
        else:
            parts = tape.reshape(rows, apart, self.as_rows(width))
        return tape.reshape(tape.transpose(parts, [0, 2, 3, 1, 4]), joined, turned)

    def layer(self, x: str, place: str) -> str:
        tape, c = self.tape, self.config
        own, shared = c.num_attention_heads, c.num_key_value_heads
        even = tape.norm(x, f"{place}input_layernorm.weight", c.hidden_size, c.rms_norm_eps)
        query = self.heads(self.linear(even, f"{place}self_attn.q_proj"), "query", own, True)
        key = self.heads(self.linear(even, f"{place}self_attn.k_proj"), "key", shared, True)
        value = self.heads(self.linear(even, f"{place}self_attn.v_proj"), "key", shared, False)
        mixed = tape.attend(query, key, value, self.mask, c.head_dim**-0.5)
        apart, turned, joined = self.split["query"]
        back = tape.transpose(tape.reshape(mixed, turned, joined), [0, 3, 1, 2, 4])
        rows = tape.reshape(back, self.as_rows(own * c.head_dim), apart)
        x = tape.add(x, self.linear(rows, f"{place}self_attn.o_proj"))
        even = tape.norm(x, f"{place}post_attention_layernorm.weight", c.hidden_size, c.rms_norm_eps)
        inner = tape.gate(self.linear(even, f"{place}mlp.gate_proj"), self.linear(even, f"{place}mlp.up_proj"))
        return tape.add(x, self.linear(inner, f"{place}mlp.down_proj"))

    def loss(self) -> str:
        tape, c = self.tape, self.config
        ids, targets = self.cut(0, -1, "ids"), self.cut(1, 2**31 - 1, "targets")
        self.sizes()
        self.tables()
        x = tape.embed("embed_tokens.weight", ids)
        for index in range(c.num_hidden_layers):
            x = self.layer(x, f"layers.{index}.")
        hidden = tape.norm(x, "norm.weight", c.hidden_size, c.rms_norm_eps)
        head = "embed_tokens.weight" if c.tie_word_embeddings else "lm_head.weight"
        return tape.cross_entropy(hidden, head, targets, c.tie_word_embeddings)


def write_step(
    path: Path, config: Config, gradients: bool, lora: dict[str, list[int]] | None = None, scale: float = 1.0, mixed: bool = False
) -> None:
    """Writes a graph; `gradients` False leaves the loss alone. With `lora` the gradients are those of its factors.

    `mixed` multiplies matrices in fp16; attention, norms, loss, parameters and what leaves the graph stay fp32.
    """
    base = parameter_shapes(config)
    trained = base if lora is None else lora
    with Graph(path) as graph:
        graph.input("tokens", np.int32, ["batch", "columns"])
        for name, shape in (base | trained).items():
            graph.input(name, np.float32, shape)
        step = StepGraph(graph, config, lora or {}, scale, mixed)
        graph.output("loss", np.float32, [])
        results = {step.loss(): "loss"}
        if gradients:
            step.tape.run_back()
            for name, shape in trained.items():
                graph.output(f"grad.{name}", np.float32, shape)
                results[step.tape.final_slope(name)] = f"grad.{name}"
        rename(graph, results)
        prune(graph)
