"""Writes a small random Llama in Hugging Face's form, with every choice that Arbor's own models do not make: random_llama.py FOLDER."""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from model import Config, LanguageModel
from tensors_file import write_file

CONFIG = Config(
    vocab_size=260,
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=28,
    max_position_embeddings=48,
    rope_theta=5000.0,
    rms_norm_eps=1e-6,
    tie_word_embeddings=False,
    head_size=8,
)
SPECIAL = ["<s>", "</s>", "<unk>", "<pad>"]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    network = LanguageModel(CONFIG)
    with torch.no_grad():
        for parameter in network.parameters():
            spread = torch.randn_like(parameter)
            parameter.copy_(1 + 0.2 * spread if parameter.dim() == 1 else 0.3 * spread)
    tensors = {name if name.startswith("lm_head") else f"model.{name}": value for name, value in network.named_parameters()}
    write_file(folder / "model.safetensors", tensors)
    sizes = {name: value for name, value in vars(CONFIG).items() if name != "head_size"}
    about = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "attention_bias": False, "rope_scaling": None}
    config = {**about, **sizes, "head_dim": CONFIG.head_dim, "bos_token_id": 0, "eos_token_id": 1}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    alphabet = {letter: index + len(SPECIAL) for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(SPECIAL)} | alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))


if __name__ == "__main__":
    main()
