"""Writes test vectors of the reference fingerprint: toploc_vectors.py FOLDER. No tie decides what is in the top k.

Needs the package built against the torch in use: pip install --no-build-isolation --no-binary toploc toploc==0.1.6
A vector holds the seed and size of its activations, k, and the proof that `toploc` builds of them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from toploc import build_proofs_base64

# seed, size, k: chunks of 32, 17, 4 and 1 tokens of both models, and one whose indices exceed the field's 65 497
CASES = [(1, 128, 128), (2, 4 * 96, 128), (3, 32 * 96, 128), (4, 32 * 192, 128), (5, 17 * 192, 64), (6, 96, 96), (7, 70_000, 128)]


def activations(seed: int, size: int) -> np.ndarray:
    """Draws float32 values of both signs and many magnitudes from a linear congruential generator, alike in any language."""
    state, values = seed, np.empty(size, np.float32)
    for index in range(size):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        uniform = state / 2**32 * 2 - 1
        values[index] = uniform * uniform * uniform * 8
    return values


def untied_seed(seed: int, size: int, k: int) -> int:
    """Finds the first seed whose values of rank k and k + 1 still differ as bfloat16, which is what the reference ranks."""
    while size > k:
        magnitudes = torch.from_numpy(activations(seed, size)).bfloat16().abs().sort(descending=True).values
        if magnitudes[k - 1] > magnitudes[k]:
            break
        seed += 1_000
    return seed


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for first_seed, size, k in CASES:
        seed = untied_seed(first_seed, size, k)
        values = torch.from_numpy(activations(seed, size)).bfloat16()
        [proof] = build_proofs_base64([values[None]], decode_batching_size=32, topk=k)
        text = json.dumps({"seed": seed, "size": size, "k": k, "proof": proof}, indent=2)
        (folder / f"size-{size}-top-{k}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
