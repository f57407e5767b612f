"""Writes exports of a trained model and of its int8 copy: export.py NAME WORK_FOLDER. `arbor model add` makes model folders of them."""

import argparse
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

from corpus import END_TOKEN, PAD_TOKEN
from model import CONFIGS, Config, Decoder, LanguageModel

OPSET = 20
MAX_DIFFERENCE = 1e-4  # logits against torch; seen: below 2e-5
MAX_FILE_BYTES = 12_000_000
# The texts that the models were trained on are Markdown, so turns are its sections.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}## {{ message['role'] }}\n\n{{ message['content'] }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}## assistant\n\n{% endif %}"
)


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


def write_export(folder: Path, graph: Path, work: Path, config: Config, card: dict) -> None:
    """Puts graph, tokenizer and configuration side by side, with a card that says what the model was made of."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(graph, folder / "model.onnx")
    shutil.copyfile(work / "tokenizer.json", folder / "tokenizer.json")
    tokenizer = json.loads((work / "tokenizer.json").read_text())
    end = next(token["id"] for token in tokenizer["added_tokens"] if token["content"] == END_TOKEN)
    settings = {
        "model_type": "llama",
        **{key: value for key, value in vars(config).items() if key not in ("head_size", "tie_word_embeddings")},
        "head_dim": config.head_dim,
        "tie_word_embeddings": config.tie_word_embeddings,
        "bos_token_id": end,
        "eos_token_id": end,
    }
    speech = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": True,
        "bos_token": END_TOKEN,
        "eos_token": END_TOKEN,
        "pad_token": PAD_TOKEN,
        "model_max_length": config.max_position_embeddings,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    for name, content in (("config", settings), ("tokenizer_config", speech), ("card", card)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    size = (folder / "model.onnx").stat().st_size
    if size > MAX_FILE_BYTES:
        raise SystemExit(f"{folder / 'model.onnx'} has {size} bytes, more than {MAX_FILE_BYTES}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONFIGS)
    parser.add_argument("work", type=Path)
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

    about = {**report, "licence": "Apache-2.0"}
    # The validation loss was measured on the exact weights, so a quantised card does not repeat it.
    quantised = {key: value for key, value in report["training"].items() if not key.startswith("validation")}
    exports = work / "exports"
    write_export(exports / name, exact, work, config, about)
    write_export(exports / f"{name}-int8", int8, work, config, {**about, "training": quantised, "quantisedFrom": name})


if __name__ == "__main__":
    main()
