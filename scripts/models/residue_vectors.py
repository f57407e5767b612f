"""Writes test vectors of the residue proof, implemented from docs/verification.md alone: residue_vectors.py FILE."""

import hashlib
import json
import math
import struct
import sys
from pathlib import Path

from sampler_vectors import xoshiro128

STEP = {"fp32": 1 / 1024, "fp16": 1 / 64, "int8": 1 / 16}
CHUNK = 32
# state of the generator, tokens, width, profile, binding, model hash
CASES = [
    (1, 1, 8, "fp32", "00" * 32, "11" * 32),
    (2, 17, 96, "fp32", "a5" * 32, "11" * 32),
    (3, 32, 96, "fp16", "a5" * 32, "22" * 32),
    (4, 33, 192, "fp32", "01" * 32, "22" * 32),
    (5, 80, 48, "int8", "02" * 32, "33" * 32),
]


def activations(state: int, size: int) -> list[float]:
    """Draws float32 values of both signs and many magnitudes, alike in any language."""
    values = []
    for _ in range(size):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        uniform = state / 2**32 * 2 - 1
        values.append(struct.unpack("<f", struct.pack("<f", uniform * uniform * uniform * 8))[0])
    return values


def prove(hidden: list[float], width: int, tokens: list[int], binding: str, model: str, profile: str) -> list[str]:
    proofs = []
    for chunk in range(math.ceil(len(tokens) / CHUNK)):
        rows = [hidden[row * width : (row + 1) * width] for row in range(len(tokens))][chunk * CHUNK : (chunk + 1) * CHUNK]
        message = b"arbor/residue/1" + bytes.fromhex(binding) + bytes.fromhex(model) + profile.encode()
        message += struct.pack(f"<{len(tokens)}I", *tokens) + struct.pack("<I", chunk)
        outputs = xoshiro128(list(struct.unpack("<4I", hashlib.sha256(message).digest()[:16])))
        proof = bytearray()
        for index in range(max(16, len(rows))):
            row = rows[index % len(rows)]
            scale = max(1e-6, math.sqrt(sum(value * value for value in row) / width))
            value = row[next(outputs) * width >> 32] / (scale * STEP[profile])
            proof.append(math.floor(value + 0.5) % 256)
        proofs.append(proof.hex())
    return proofs


def main() -> None:
    vectors = []
    for state, count, width, profile, binding, model in CASES:
        tokens = [(state * 7_919 + index * 104_729) % 50_000 for index in range(count)]
        hidden = activations(state, count * width)
        vectors.append(
            {
                "state": state,
                "tokens": tokens,
                "width": width,
                "profile": profile,
                "binding": f"0x{binding}",
                "hash": f"0x{model}",
                "proofs": prove(hidden, width, tokens, binding, model, profile),
            }
        )
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[1]).write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
