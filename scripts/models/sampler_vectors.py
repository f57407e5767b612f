"""Writes test vectors of the sampler's noise, implemented from docs/models.md alone: sampler_vectors.py FILE."""

import hashlib
import json
import math
import struct
import sys
from pathlib import Path

MASK = 2**32 - 1
CASES = [("00" * 32, 0), ("ff" * 32, 1), ("07" * 32, 31), ("0123456789abcdef" * 4, 2**32 - 1)]
SIZE = 16


def rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & MASK


def xoshiro128(state: list[int]):
    """Yields xoshiro128** outputs. Source: Blackman and Vigna, prng.di.unimi.it/xoshiro128starstar.c"""
    while True:
        yield rotate(state[1] * 5 & MASK, 7) * 9 & MASK
        shifted = state[1] << 9 & MASK
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= shifted
        state[3] = rotate(state[3], 11)


def noise(seed: bytes, position: int) -> list[float]:
    digest = hashlib.sha256(b"arbor/gumbel/1" + seed + struct.pack("<I", position)).digest()
    outputs = xoshiro128(list(struct.unpack("<4I", digest[:16])))
    return [-math.log(-math.log((next(outputs) + 0.5) / 2**32)) for _ in range(SIZE)]


vectors = [{"seed": f"0x{seed}", "position": at, "gumbel": noise(bytes.fromhex(seed), at)} for seed, at in CASES]
Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
Path(sys.argv[1]).write_text(json.dumps(vectors, indent=2) + "\n")
