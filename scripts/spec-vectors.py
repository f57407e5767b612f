#!/usr/bin/env python3
"""Writes test/vectors/spec/requests.json: task seeds and the inference subnet's requests, derived without Arbor's code.

    python3 scripts/spec-vectors.py > test/vectors/spec/requests.json

Only the word tables are read from subnet-spec/inference/prompts.ts; the derivation is written again here.
"""
import hashlib
import json
import pathlib
import re
import struct

SOURCE = pathlib.Path(__file__).parent.parent / "subnet-spec" / "inference" / "prompts.ts"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def tables():
    text = SOURCE.read_text()
    found = re.findall(r"const (\w+): Words = \[(.*?)\n\]", text, re.S)
    return {name: re.findall(r"'((?:[^'\\]|\\.)*)'", words) for name, words in found}


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def ss58(public_key):
    payload = bytes([42]) + public_key
    payload += hashlib.blake2b(b"SS58PRE" + payload).digest()[:2]
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


class Choices:
    def __init__(self, seed, label):
        self.prefix = b"arbor/choices/1" + bytes([len(label)]) + label.encode() + seed
        self.blocks, self.words = 0, []

    def block(self):
        out = blake(self.prefix + struct.pack("<I", self.blocks))
        self.blocks += 1
        return out

    def below(self, bound):
        while True:
            if not self.words:
                self.words = list(struct.unpack("<8I", self.block()))
            word = self.words.pop(0)
            if word < 2**32 - 2**32 % bound:
                return word % bound

    def pick(self, options):
        return options[self.below(len(options))]


def prompt(seed, words):
    choices = Choices(seed, "inference/prompt")

    def clause():
        return " ".join(choices.pick(words[name]) for name in ("NAMES", "VERBS", "NAMES", "PLACES"))

    def fill(text):
        return re.sub(r"\{(\w+)\}", lambda m: str(1 + choices.below(80 if m[1] == "minor" else 20)), text)

    def capital(text):
        return text[:1].upper() + text[1:]

    first = fill(choices.pick(words["OPENINGS"])) + " " + clause() + "."
    rest = [capital(clause()) + "." for _ in range(1 + choices.below(3))]
    title = capital(choices.pick(words["NAMES"]))
    return " ".join([f"## {title}\n\n{first}", *rest, fill(choices.pick(words["ENDINGS"]))])


def main():
    words = tables()
    cases = []
    for index in range(24):
        block_hash, public_key = blake(b"block %d" % index), blake(b"miner %d" % index)
        netuid, round_number = (index * 4099) % 65536, index * 2**33 + index
        seed_of = b"arbor/task-seed/1" + block_hash + struct.pack("<HQ", netuid, round_number) + public_key
        seed = blake(seed_of)
        repeats = [1, 2, 3 + index * 1_000_003]
        cases.append(
            {
                "blockHash": "0x" + block_hash.hex(),
                "netuid": netuid,
                "round": round_number,
                "hotkey": ss58(public_key),
                "seed": "0x" + seed.hex(),
                "repeats": [{"repeat": n, "seed": "0x" + blake(seed_of + struct.pack("<I", n)).hex()} for n in repeats],
                "request": {
                    "prompt": prompt(seed, words),
                    "maxTokens": 48,
                    "temperature": 0.8,
                    "seed": "0x" + Choices(seed, "inference/sampler").block().hex(),
                },
            }
        )
    print(json.dumps({"madeBy": "scripts/spec-vectors.py", "cases": cases}, indent=1, ensure_ascii=False))


main()
