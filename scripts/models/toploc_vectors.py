"""Writes test vectors of the reference fingerprint: toploc_vectors.py FOLDER. Activations have no two equal magnitudes in the top k.

Each file holds float32 activations (base64, little-endian) and the bytes that the package `toploc` proves for them.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch
from toploc import build_proofs_base64
from toploc.C.csrc import utils  # noqa: F401  the compiled part must be there: the pure path would be another reference

CASES = [(1, 128, 128), (2, 4 * 96, 128), (3, 32 * 96, 128), (4, 32 * 192, 128), (5, 17 * 192, 64), (6, 1 * 96, 96), (7, 70_000, 128)]


def activations(seed: int, size: int) -> np.ndarray:
    """Draws normal values whose bfloat16 magnitudes at the cut between top k and the rest are distinct."""
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed, size, k in CASES:
        values = activations(seed, size)
        magnitudes = np.sort(np.abs(values))[::-1][: k + 1]
        if len(set(magnitudes.tolist())) != len(magnitudes):
            raise SystemExit(f"seed {seed} ties within the top {k}: choose another")
        [proof] = build_proofs_base64([torch.from_numpy(values)[None]], decode_batching_size=32, topk=k)
        case = {"seed": seed, "k": k, "values": base64.b64encode(values.tobytes()).decode(), "proof": proof}
        (folder / f"normal-{size}-top-{k}.json").write_text(json.dumps(case) + "\n")


if __name__ == "__main__":
    main()
