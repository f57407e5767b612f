"""Writes the model folders: export.py NAME WORK_FOLDER MODELS_FOLDER [--variants FOLDER]."""

import argparse
import hashlib
import json
import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from corpus import END_TOKEN
from model import CONFIGS, Config, Decoder, LanguageModel

OPSET = 20
MAX_DIFFERENCE = 1e-4  # logits against torch; seen: below 2e-5
MAX_FILE_BYTES = 12_000_000


def names(config: Config) -> tuple[list[str], list[str]]:
    cache = [f"{layer}.{part}" for layer in range(config.num_hidden_layers) for part in ("key", "value")]
    inputs = ["input_ids", "attention_mask", "position_ids", *(f"past_key_values.{name}" for name in cache)]
    return inputs, ["logits", "last_hidden_state", *(f"present.{name}" for name in cache)]


def export(model: LanguageModel, path: Path, untied_head: bool = False) -> None:
    """Exports the decoder with dynamic batch, length and cache, and strips what names the machine it was made on."""
    config, batch, length, seen = model.config, 2, 3, 5
    shape = (batch, config.num_key_value_heads, seen, config.head_dim)
    past = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(config.num_hidden_layers)]
    positions = torch.arange(seen, seen + length)[None].repeat(batch, 1)
    ids, mask = torch.zeros((batch, length), dtype=torch.int64), torch.ones((batch, seen + length), dtype=torch.int64)
    dim = torch.export.Dim
    b, s, p, t = dim("batch"), dim("length"), dim("past"), dim("total")
    shapes = ({0: b, 1: s}, {0: b, 1: t}, {0: b, 1: s}, [({0: b, 2: p}, {0: b, 2: p}) for _ in past])
    inputs, outputs = names(config)
    program = torch.onnx.export(
        Decoder(model, untied_head).eval(),
        (ids, mask, positions, past),
        dynamo=True,
        opset_version=OPSET,
        input_names=inputs,
        output_names=outputs,
        dynamic_shapes=shapes,
        external_data=False,
        verbose=False,
    )
    program.optimize()
    program.save(str(path), external_data=False)
    strip(path)


def strip(path: Path) -> None:
    """Removes stack traces and other exporter notes from the file."""
    model = onnx.load(path)
    for part in (model, model.graph, *model.graph.node, *model.functions):
        del part.metadata_props[:]
        part.doc_string = ""
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)


def feeds(config: Config, ids: np.ndarray, seen: int, cache: dict) -> dict:
    batch, length = ids.shape
    return {
        "input_ids": ids,
        "attention_mask": np.ones((batch, seen + length), np.int64),
        "position_ids": np.arange(seen, seen + length)[None].repeat(batch, 0),
        **cache,
    }


def compare(model: LanguageModel, path: Path) -> float:
    """Largest difference in logits from torch, over one prefill and over the same tokens one by one."""
    config, session = model.config, ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs, _ = names(config)
    ids = np.random.default_rng(0).integers(0, config.vocab_size, (2, 40))
    empty = np.zeros((2, config.num_key_value_heads, 0, config.head_dim), np.float32)
    cache = dict.fromkeys(inputs[3:], empty)
    reference = model(torch.from_numpy(ids)).detach().numpy()
    whole = session.run(None, feeds(config, ids, 0, cache))[0]
    rows = []
    for index in range(ids.shape[1]):
        logits, _, *present = session.run(None, feeds(config, ids[:, index : index + 1], index, cache))
        rows.append(logits)
        cache = dict(zip(inputs[3:], present, strict=True))
    return float(max(abs(whole - reference).max(), abs(np.concatenate(rows, 1) - reference).max()))


def write_folder(folder: Path, graph: Path, work: Path, config: Config, card: dict) -> None:
    """Puts graph, tokenizer and configuration side by side and writes the card with every file's hash."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(graph, folder / "model.onnx")
    shutil.copyfile(work / "tokenizer.json", folder / "tokenizer.json")
    tokenizer = json.loads((work / "tokenizer.json").read_text())
    end = next(token["id"] for token in tokenizer["added_tokens"] if token["content"] == END_TOKEN)
    settings = {
        "model_type": "llama",
        **{key: value for key, value in vars(config).items()},
        "head_dim": config.head_dim,
        "tie_word_embeddings": True,
        "bos_token_id": end,
        "eos_token_id": end,
    }
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    files = sorted(path for path in folder.iterdir() if path.name != "card.json")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    described = [{"name": path.name, "bytes": path.stat().st_size, "sha256": hashes[path.name]} for path in files]
    too_large = [entry for entry in described if entry["bytes"] > MAX_FILE_BYTES]
    if too_large:
        raise SystemExit(f"files above {MAX_FILE_BYTES} bytes: {too_large}")
    digest = hashlib.sha256(listing.encode()).hexdigest()
    (folder / "card.json").write_text(json.dumps({**card, "hash": digest, "files": described}, indent=2) + "\n")
    print(folder.name, digest, sum(entry["bytes"] for entry in described), "bytes")


def write_int4(graph: Path, path: Path) -> None:
    """Quantises the weights to four bits in blocks of 32: a cheat for the calibration alone."""
    quantizer = MatMulNBitsQuantizer(onnx.load(graph), block_size=32, is_symmetric=True)
    quantizer.process()
    quantizer.model.save_model_to_file(str(path))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONFIGS)
    parser.add_argument("work", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--variants", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    name, work, config = options.name, options.work, CONFIGS[options.name]
    model = LanguageModel(config)
    model.load_state_dict(torch.load(work / f"{name}.pt"))
    model.eval()
    report = json.loads((work / f"{name}.json").read_text())

    exact, untied, int8 = work / f"{name}.onnx", work / f"{name}-untied.onnx", work / f"{name}-int8.onnx"
    export(model, exact)
    difference = compare(model, exact)
    if difference > MAX_DIFFERENCE:
        raise SystemExit(f"{name}: logits differ from torch by {difference}")
    print(f"{name}: logits differ from torch by {difference:.1e}")
    export(model, untied, untied_head=True)
    quantize_dynamic(untied, int8, weight_type=QuantType.QInt8)
    print(f"{name}-int8: logits differ from torch by {compare(model, int8):.1e}")

    about = {**report, "licence": "Apache-2.0", "thresholds": []}
    # The validation loss was measured on the exact weights, so a quantised card does not repeat it.
    quantised = {key: value for key, value in report["training"].items() if not key.startswith("validation")}
    about_copy = {**about, "training": quantised, "quantisedFrom": name}
    write_folder(options.models / name, exact, work, config, {"name": name, "profile": "fp32", **about})
    write_folder(
        options.models / f"{name}-int8",
        int8,
        work,
        config,
        {"name": f"{name}-int8", "profile": "int8", **about_copy},
    )
    if options.variants:
        int4 = work / f"{name}-int4.onnx"
        write_int4(untied, int4)
        card = {"name": f"{name}-int4", "profile": "int8", **about_copy}
        write_folder(options.variants / f"{name}-int4", int4, work, config, card)


if __name__ == "__main__":
    main()
