#!/usr/bin/env python3
"""Writes test/vectors/finetune/*.json: what fine-tuning exchanges, made without Arbor's code (numpy, hashlib).

    python3 scripts/finetune-vectors.py

Optimisers, their payloads, updates, checkpoints, states, records, seeds, windows and merge plans are written again here from
docs/finetune.md and the papers; cosines are numpy's.
"""
import base64
import hashlib
import json
import math
import pathlib
import struct
from fractions import Fraction

import numpy as np

TARGET = pathlib.Path(__file__).parent.parent / "test" / "vectors" / "finetune"
F32, F64 = np.float32, np.float64


# ---- numbers that TypeScript makes too

class Draws:
    """x ← 1664525 x + 1013904223 mod 2^32."""

    def __init__(self, seed):
        self.x = seed

    def u32(self):
        self.x = (1664525 * self.x + 1013904223) % 2**32
        return self.x

    def floats(self, n, scale):
        """Cubes of sums of four, so that a few are much larger than the others."""
        out = np.empty(n, F32)
        for i in range(n):
            v = sum(self.u32() for _ in range(4)) / 2**32 - 2
            out[i] = v * v * v * scale
        return out

    def bytes(self, n):
        return bytes(self.u32() >> 24 for _ in range(n))


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else np.asarray(data, "<f4").tobytes()).decode()


def hexed(data):
    return "0x" + data.hex()


# ---- payloads

def bf16(value):
    """Nearest bfloat16 of a positive binary32, halves to the even one: its 15 bits."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    high, rest = bits >> 16, bits & 0xFFFF
    if rest > 0x8000 or (rest == 0x8000 and high & 1):
        high += 1
    return min(high, 0x7F7F)


def from_bf16(bits):
    return struct.unpack("<f", struct.pack("<I", bits << 16))[0]


def two_levels(magnitudes):
    mags = [float(m) for m in magnitudes]
    split, before = sum_of(mags) / len(mags), None
    low = high = 0.0
    for _ in range(16):
        highs, lows = [m for m in mags if m > split], [m for m in mags if not m > split]
        low = sum_of(lows) / len(lows) if lows else 0.0
        high = sum_of(highs) / len(highs) if highs else low
        if len(highs) == before:
            break
        before, split = len(highs), (low + high) / 2
    scale = bf16(F32(high))
    top = from_bf16(scale)
    return scale, (min(63, math.floor(64 * low / top + 0.5)) if top else 0)


def sum_of(values):
    total = 0.0
    for value in values:
        total += value
    return total


def top_k(values, k):
    order = sorted(range(len(values)), key=lambda i: (-abs(float(values[i])), i))
    return sorted(order[:k])


def chunk_bits(values, k):
    """Bits of one chunk as text, first bit first, and the sparse vector that they stand for."""
    indices = top_k(values, k)
    scale, ratio = two_levels([abs(values[i]) for i in indices])
    top = from_bf16(scale)
    low = top * ratio / 64
    gaps = [b - a - 1 for a, b in zip([-1] + indices, indices)]
    rice = min(range(16), key=lambda b: (sum(gap >> b for gap in gaps) + len(gaps) * (b + 1), b))
    field = lambda value, count: "".join(str(value >> bit & 1) for bit in range(count))
    bits, sparse = field(rice, 4) + field(scale, 15) + field(ratio, 6), np.zeros(len(values), F32)
    for index, gap in zip(indices, gaps):
        sign, big = values[index] < 0, 2 * abs(float(values[index])) > low + top
        bits += "1" * (gap >> rice) + "0" + field(gap & (1 << rice) - 1, rice) + field(sign + 2 * big, 2)
        sparse[index] = (-1 if sign else 1) * (top if big else low)
    return bits, sparse


def sparse_payload(vector, chunk, k):
    bits, sparse = "", []
    for start in range(0, len(vector), chunk):
        part = vector[start:start + chunk]
        text, values = chunk_bits(part, math.ceil(Fraction(k * len(part), chunk)))
        bits += text
        sparse.append(values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8)), np.concatenate(sparse)


class SparseLoco:
    """@source arXiv 2508.15706, algorithm 1"""

    def __init__(self, chunk, k, feedback):
        self.chunk, self.k, self.feedback = chunk, k, feedback

    def encode(self, progress, carried):
        whole = (progress.astype(F64) + self.feedback * carried.astype(F64)).astype(F32)
        payload, sent = sparse_payload(whole, self.chunk, self.k)
        return payload, sent, (whole.astype(F64) - sent).astype(F32)


class Demo:
    """@source arXiv 2411.19870, algorithm 1; a chunk as a square"""

    def __init__(self, chunk, k, decay):
        self.chunk, self.k, self.decay, self.s = chunk, k, decay, math.isqrt(chunk)
        n = np.arange(self.s)
        self.table = np.cos(np.pi / self.s * (n[None] + 0.5) * n[:, None]) * np.sqrt(2 / self.s)
        self.table[0] /= np.sqrt(2)

    def encode(self, gradient, carried):
        momentum = (gradient.astype(F64) + self.decay * carried.astype(F64)).astype(F32)
        padded = np.concatenate([momentum, np.zeros(-len(momentum) % self.chunk, F32)]).astype(F64)
        squares = padded.reshape(-1, self.s, self.s)
        payload, sparse = sparse_payload((self.table @ squares @ self.table.T).astype(F32).reshape(-1), self.chunk, self.k)
        sent = self.table.T @ sparse.astype(F64).reshape(-1, self.s, self.s) @ self.table
        sent = sent.reshape(-1)[:len(momentum)].astype(F32)
        return payload, sent, (momentum.astype(F64) - sent).astype(F32)


# ---- merging

def norm(vector):
    return math.sqrt(np.add.accumulate(vector.astype(F64) ** 2)[-1])


def even_mean(updates):
    sized = [(u.astype(F64), norm(u)) for u in updates if norm(u) > 0]
    if not sized:
        return None
    common = float(np.median([n for _, n in sized]))
    total = np.zeros(len(updates[0]))
    for update, n in sized:
        total = total + min(1.0, common / n) * update
    return total / len(sized)


def nesterov(params, outer, updates, rate, momentum):
    """DiLoCo's outer step as torch.optim.SGD(nesterov=True) takes it. @source arXiv 2311.08105"""
    mean = even_mean(updates)
    if mean is None:
        return params, outer
    outer = (momentum * outer.astype(F64) + mean).astype(F32)
    return (params - rate * (mean + momentum * outer.astype(F64))).astype(F32), outer


def optimiser_vectors():
    out = {"sparseloco": [], "demo": [], "merge": []}
    for seed, size, chunk, k, kept in [(1, 700, 256, 8, 0.95), (2, 1024, 1024, 32, 1.0), (3, 300, 64, 64, 0.0), (4, 10, 4096, 64, 0.9)]:
        draws, optimiser, carried, rounds = Draws(seed), SparseLoco(chunk, k, kept), np.zeros(size, F32), []
        for _ in range(3):
            payload, sent, carried = optimiser.encode(draws.floats(size, 1e-3), carried)
            rounds.append({"payload": b64(payload), "sent": b64(sent), "carried": b64(carried)})
        out["sparseloco"].append({"seed": seed, "size": size, "chunk": chunk, "k": k, "feedback": kept, "rounds": rounds})
    for seed, size, chunk, k, decay in [(5, 700, 256, 8, 0.999), (6, 1024, 1024, 16, 0.9), (7, 50, 36, 5, 0.5)]:
        draws, optimiser, carried, rounds = Draws(seed), Demo(chunk, k, decay), np.zeros(size, F32), []
        for _ in range(3):
            payload, sent, carried = optimiser.encode(draws.floats(size, 1e-2), carried)
            rounds.append({"payload": b64(payload), "sent": b64(sent), "carried": b64(carried)})
        out["demo"].append({"seed": seed, "size": size, "chunk": chunk, "k": k, "decay": decay, "rounds": rounds})
    for seed, size, count, rate, momentum in [(8, 200, 1, 0.9, 0.5), (9, 200, 4, 0.7, 0.9), (10, 200, 5, 1.0, 0.0)]:
        draws = Draws(seed)
        params, outer = draws.floats(size, 0.1), draws.floats(size, 1e-3)
        updates = [draws.floats(size, 1e-3 * (1 + i)) for i in range(count)]
        merged, carried = nesterov(params, outer, updates, rate, momentum)
        mean = even_mean(updates)
        signed = (params - 1e-3 * np.sign(mean)).astype(F32)
        out["merge"].append({
            "seed": seed, "size": size, "count": count, "learningRate": rate, "momentum": momentum,
            "params": b64(merged), "outer": b64(carried), "signed": b64(signed),
            "cosine": float(np.dot(updates[0].astype(F64), updates[-1]) / norm(updates[0]) / norm(updates[-1])),
        })
    return out


# ---- files

PIECE = 65_536


def sha256(data):
    return hashlib.sha256(data).digest()


def merkle(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + merkle(leaves[:split]) + merkle(leaves[split:]))


def audit_path(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return audit_path(index, leaves[:split]) + [merkle(leaves[split:])]
    return audit_path(index - split, leaves[split:]) + [merkle(leaves[:split])]


def pieces(data):
    return [sha256(b"\0" + data[i:i + PIECE]) for i in range(0, len(data), PIECE)]


def name_of(data):
    return merkle(pieces(data))


def file_vectors():
    draws = Draws(11)
    blobs = []
    for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7]:
        data = (draws.bytes(251) * (size // 251 + 1))[:size]
        leaves = pieces(data)
        proofs = [[hexed(step) for step in audit_path(i, leaves)] for i in range(len(leaves))]
        blobs.append({"size": size, "sha256": hexed(sha256(data)), "name": hexed(name_of(data)), "proofs": proofs})
    key, base, states, payload = draws.bytes(32), draws.bytes(32), draws.bytes(32), draws.bytes(40)
    file = struct.pack("<4sBBHIII", b"ARBU", 1, 1, 7, 4_000_000_000, 123_456, 0)[:16] + key + base + states + payload
    update = {"netuid": 7, "round": 4_000_000_000, "size": 123_456, "optimiser": "sparseloco", "hotkey": ss58(key), "base": hexed(base),
              "states": hexed(states), "payload": b64(payload), "file": b64(file), "name": hexed(name_of(file))}
    params, outer = draws.floats(5, 0.1), draws.floats(5, 0.001)
    spec = "feintuning-ä".encode()
    file = struct.pack("<4sBBIII", b"ARBC", 1, len(spec), 42, 3, 5) + spec + params.astype("<f4").tobytes() + outer.astype("<f4").tobytes()
    checkpoint = {"round": 42, "spec": {"name": spec.decode(), "version": 3}, "params": b64(params), "outer": b64(outer),
                  "file": b64(file), "name": hexed(name_of(file))}
    rows, parts = [], []
    for index in range(6):
        four = [draws.floats(3 + index, 1.0) for _ in range(4)]
        rows.append(b"".join(name_of(part.astype("<f4").tobytes()) for part in four) + struct.pack("<II", 100 + 5 * index, 5 * index))
        parts.append({"parts": [b64(part) for part in four], "steps": 100 + 5 * index, "step": 5 * index, "row": b64(rows[-1])})
    leaves = [sha256(b"\0" + row) for row in rows]
    states = {"rows": parts, "root": hexed(merkle(leaves)), "proofs": [[hexed(step) for step in audit_path(i, leaves)] for i in range(6)]}
    return {"blobs": blobs, "update": update, "checkpoint": checkpoint, "states": states}


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def ss58(public_key):
    payload = bytes([42]) + public_key
    payload += hashlib.blake2b(b"SS58PRE" + payload).digest()[:2]
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


# ---- what follows from blocks

def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


class Choices:
    def __init__(self, seed, label):
        self.prefix, self.block, self.words = b"arbor/choices/1" + bytes([len(label)]) + label.encode() + seed, 0, []

    def below(self, bound):
        while True:
            if not self.words:
                self.words = list(struct.unpack("<8I", blake(self.prefix + struct.pack("<I", self.block))))
                self.block += 1
            word = self.words.pop(0)
            if word < 2**32 - 2**32 % bound:
                return word % bound


def task_seed(block, netuid, round_, key):
    return blake(b"arbor/task-seed/1" + block + struct.pack("<HQ", netuid, round_) + key)


def round_seed(block, netuid, round_):
    return blake(b"arbor/round-seed/1" + block + struct.pack("<HQ", netuid, round_))


def fmix32(h):
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def window(seed, tokens, length, position):
    count = (tokens - length) // length
    number, at = divmod(position, count)
    choices = Choices(seed, f"windows/{number}")
    offset, keys = choices.below(length), [choices.below(2**32) for _ in range(6)]
    half = 1
    while 4**half < count:
        half += 1
    while True:
        left, right = at >> half, at & (1 << half) - 1
        for key in keys:
            left, right = right, left ^ fmix32(right ^ key) & (1 << half) - 1
        at = left << half | right
        if at < count:
            return offset + length * at


def sample(choices, n, count):
    drawn = set()
    for top in range(max(0, n - count), n):
        one = choices.below(top + 1)
        drawn.add(top if one in drawn else one)
    return sorted(drawn)


def draw_vectors():
    draws, cases = Draws(12), []
    for netuid, round_, uid, tokens, steps, batch, length in [(1, 5, 0, 1_000_000, 10, 4, 64), (3, 123_456, 255, 20_000, 5, 8, 128), (9, 0, 3, 130, 2, 3, 64)]:
        block, key = draws.bytes(32), draws.bytes(32)
        shared = round_seed(block, netuid, round_)
        first = uid * steps * batch
        starts = [[window(shared, tokens, length, first + p * batch + j) for j in range(batch)] for p in range(steps)]
        unseen = [[window(shared, tokens, length, p * batch + j) for j in range(batch)] for p in range(3)]
        own = task_seed(block, netuid, round_, key)
        choices = Choices(own, "replay")
        drawn = choices.below(2**32) < 0.5 * 2**32
        cases.append({
            "blockHash": hexed(block), "hotkey": ss58(key), "netuid": netuid, "round": round_, "uid": uid, "tokens": tokens,
            "local": {"steps": steps, "accumulate": 1, "batch": batch, "length": length},
            "assignedSeed": hexed(own), "unseenSeed": hexed(shared), "assigned": starts, "unseen": unseen,
            "replay": {"segment": choices.below(6)} if drawn else None, "measured": sample(Choices(own, "measured"), steps, 4),
        })
    return cases


# ---- records and plans

def record_vectors():
    draws = Draws(13)
    name, base = draws.bytes(32), draws.bytes(32)
    bits = [0, 3, 8, 255, 703]
    bitmap = bytearray(88)
    for uid in bits:
        bitmap[uid // 8] |= 1 << uid % 8
    url = "https://example.org/updates/ä"
    return {
        "update": {"round": 77, "bytes": 49_000, "name": hexed(name), "base": hexed(base[:8]), "url": url,
                   "fields": [hexed(b"aru\1" + struct.pack("<II", 77, 49_000) + name + base[:8]), hexed(b"arl\1" + url.encode())]},
        "vote": {"round": 77, "base": hexed(base), "accepted": bits, "field": hexed(b"arv\1" + struct.pack("<I", 77) + base + bytes(bitmap))},
        "none": {"round": 0, "base": hexed(base), "accepted": [], "field": hexed(b"arv\1" + struct.pack("<I", 0) + base)},
    }


def plan(round_, commitments, votes, permit_stake):
    """Votes and commitments as dictionaries; fractions in place of products."""
    counted = [v for v in votes if v["round"] == round_ and v["stake"] > 0]
    weight = {b: sum(v["stake"] for v in counted if v["base"] == b) for b in {v["base"] for v in counted}}
    if not weight:
        return None, []
    base = min(weight, key=lambda b: (-weight[b], b))
    if Fraction(weight[base], permit_stake) <= Fraction(1, 3):
        return None, []
    accepted = lambda uid: Fraction(sum(v["stake"] for v in counted if v["base"] == base and uid in v["accepted"]), weight[base])
    fits = lambda c: c["round"] == round_ and c["bytes"] > 0 and c["base"] == base[:18]
    return base, sorted(c["uid"] for c in commitments if fits(c) and accepted(c["uid"]) > Fraction(1, 2))


def plan_vectors():
    draws, cases = Draws(14), []
    pick = lambda n: (draws.u32() >> 8) % n
    bases = [hexed(draws.bytes(32)) for _ in range(3)]
    for _ in range(40):
        commitments = [{"uid": uid, "round": 9 - (pick(6) == 0), "bytes": pick(5) * 100, "base": bases[pick(6) // 4][:18], "name": hexed(draws.bytes(32))}
                       for uid in range(6) if pick(5)]
        votes = [{"stake": pick(4) * 10, "round": 9 + (pick(7) == 0), "base": bases[pick(7) // 3], "accepted": [uid for uid in range(6) if pick(3)]}
                 for _ in range(pick(5))]
        permit = sum(v["stake"] for v in votes) + pick(3) * 20 + 1
        base, merged = plan(9, commitments, votes, permit)
        cases.append({"commitments": commitments, "votes": votes, "permitStake": permit, "base": base, "merged": merged})
    return cases


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    made = {"optimisers": optimiser_vectors(), "files": file_vectors(), "draws": draw_vectors(), "records": record_vectors(), "plans": plan_vectors()}
    for name, value in made.items():
        (TARGET / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
