"""Writes test vectors of the sampler, implemented from docs/verification.md alone: sampler_vectors.py FOLDER."""

import hashlib
import json
import math
import struct
import sys
from pathlib import Path

MASK = 2**32 - 1
CELL_WIDTH = {"fp32": 1 / 32, "fp16": 1 / 8, "int8": 1.0}
SEEDS = ["00" * 32, "ff" * 32, "07" * 32, "0123456789abcdef" * 4]
BINDINGS = ["00" * 32, "a5" * 32]
MODELS = [("11" * 32, "fp32"), ("22" * 32, "fp16")]
POSITIONS = [0, 1, 31, 2**32 - 1]
CELLS = [0, 1, -3, 700]
# temperature, top-k, top-p
FILTERS = [(0, None, None), (0.8, None, None), (0.8, 5, None), (0.8, None, 0.9), (1.3, 40, 0.5), (2, None, 0.99), (0.3, 1, None), (5, 3, 0.4)]
SIZES = [7, 300, 2_000]


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


def effective_seed(seed: str, binding: str, model: str, profile: str) -> bytes:
    parts = b"arbor/sampler/2" + bytes.fromhex(seed) + bytes.fromhex(binding) + bytes.fromhex(model) + profile.encode()
    return hashlib.sha256(parts).digest()


def noise(seed: bytes, position: int, cell: int, size: int) -> list[float]:
    digest = hashlib.sha256(b"arbor/gumbel/2" + seed + struct.pack("<II", position, cell & MASK)).digest()
    outputs = xoshiro128(list(struct.unpack("<4I", digest[:16])))
    return [-math.log(-math.log((next(outputs) + 0.5) / 2**32)) for _ in range(size)]


def cell_of(seed: bytes, position: int, peak: float, profile: str) -> int:
    [offset] = struct.unpack("<I", hashlib.sha256(b"arbor/cell/1" + seed + struct.pack("<I", position)).digest()[:4])
    return math.floor(peak / CELL_WIDTH[profile] + (offset + 0.5) / 2**32)


def kept(logits: list[float], temperature: float, top_k: int | None, top_p: float | None) -> list[int]:
    """Sorts all ids and cuts: the plain way, with none of the shortcuts of the implementation under test."""
    ids = sorted(range(len(logits)), key=lambda each: (-logits[each], each))
    if top_k is not None:
        ids = ids[:top_k]
    if top_p is not None:
        weights = [math.exp((logits[each] - max(logits)) / temperature) for each in ids]
        total, head = math.fsum(weights), 0.0
        for count, weight in enumerate(weights, 1):
            head += weight
            if head >= top_p * total:
                return ids[:count]
    return ids


def choose(logits: list[float], seed: bytes, position: int, profile: str, filters: tuple) -> int:
    temperature, top_k, top_p = filters
    if temperature == 0:
        return logits.index(max(logits))
    gumbel = noise(seed, position, cell_of(seed, position, max(logits), profile), len(logits))
    ids = sorted(kept(logits, temperature, top_k, top_p))
    return max(ids, key=lambda each: (logits[each] / temperature + gumbel[each], -each))


def logits_of(state: int, size: int) -> list[float]:
    """Draws float32 logits of −10 to 10 from a linear congruential generator, alike in any language; some tie."""
    values = []
    for _ in range(size):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        uniform = (state >> 12) / 2**20 * 2 - 1
        [value] = struct.unpack("<f", struct.pack("<f", math.floor(uniform**3 * 160) / 16))
        values.append(value)
    return values


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    keys = [(seed, binding, *model) for seed in SEEDS for binding in BINDINGS for model in MODELS]
    seeds = [
        {"seed": f"0x{key[0]}", "binding": f"0x{key[1]}", "hash": f"0x{key[2]}", "profile": key[3], "effective": effective_seed(*key).hex()}
        for key in keys
    ]
    gumbel = [
        {"effective": effective_seed(*key).hex(), "position": position, "cell": cell, "gumbel": noise(effective_seed(*key), position, cell, 16)}
        for key, position, cell in zip(keys, POSITIONS * 4, CELLS + CELLS[1:] + CELLS[:1] + CELLS * 2)
    ]
    choices = []
    for number, filters in enumerate(FILTERS * 6):
        key, size = keys[number % len(keys)], SIZES[number % len(SIZES)]
        logits = logits_of(number, size)
        tokens = [choose(logits, effective_seed(*key), position, key[3], filters) for position in range(8)]
        choices.append(
            {"key": number % len(keys), "logits": [number, size], "temperature": filters[0], "topK": filters[1], "topP": filters[2], "tokens": tokens}
        )
    (folder / "sampler.json").write_text(json.dumps({"seeds": seeds, "gumbel": gumbel, "choices": choices}, indent=1) + "\n")


if __name__ == "__main__":
    main()
