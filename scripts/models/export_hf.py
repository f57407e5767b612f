"""Exports a Llama-like decoder from a Hugging Face folder (config.json, safetensors): export_hf.py FOLDER EXPORT [--licence TEXT].

`arbor model add EXPORT` makes a model folder of it, and export_step.py the step graphs that train that.
"""

import argparse
import json
import logging
import shutil
import warnings
from pathlib import Path

import torch

from export import MAX_DIFFERENCE, compare, export
from export_step import configuration
from model import LanguageModel, parameter_count
from tensors_file import read_folder

BESIDE = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json")


def load(folder: Path) -> LanguageModel:
    """Reads a model; every tensor of the files must have its place, and every place its tensor."""
    model = LanguageModel(configuration(folder))
    held = {name.removeprefix("model."): value for name, value in read_folder(folder).items() if not name.endswith("rotary_emb.inv_freq")}
    if model.config.tie_word_embeddings:
        held.pop("lm_head.weight", None)
    found = model.load_state_dict(held, strict=False)
    if found.missing_keys or found.unexpected_keys:
        raise SystemExit(f"{folder}: missing {found.missing_keys[:3]}, unknown {found.unexpected_keys[:3]}")
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("export", type=Path)
    parser.add_argument("--licence", help="of the weights, for the card")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    absent = [name for name in ("config.json", "tokenizer.json") if not (options.folder / name).exists()]
    if absent:
        raise SystemExit(f"{options.folder} has no {', '.join(absent)}")
    model = load(options.folder)
    options.export.mkdir(parents=True, exist_ok=True)
    export(model, options.export / "model.onnx")
    difference = compare(model, options.export / "model.onnx")
    if difference > MAX_DIFFERENCE:
        raise SystemExit(f"logits differ from torch by {difference}")
    for name in BESIDE:
        if (options.folder / name).exists():
            shutil.copyfile(options.folder / name, options.export / name)
    card = {"training": {"parameters": parameter_count(model)}, "licence": options.licence or "as the source's"}
    (options.export / "card.json").write_text(json.dumps({"name": options.export.name, **card}, indent=2) + "\n")
    print(f"{options.export}: {parameter_count(model)} parameters, logits differ from torch by {difference:.1e}")


if __name__ == "__main__":
    main()
