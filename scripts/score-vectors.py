#!/usr/bin/env python3
"""Writes test/vectors/spec/scores.json: rounds of verdicts and forfeits, and the scores and rows that they lead to, computed without
Arbor's code.

    python3 scripts/score-vectors.py > test/vectors/spec/scores.json

The rules are those of docs/scores.md, written again here.
"""
import json
import math
import random
import struct

LENGTH, TEMPO, HALF_LIFE, FRESH_ROUNDS, FRESH_TEMPOS, KEPT_ROUNDS = 10, 20, 3, 6, 3, 560


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def mean_of(samples):
    n = len(samples)
    if n == 1:
        return samples[0]["value"], samples[0]["sigma"]
    mean = sum(s["value"] for s in samples) / n
    declared = sum(s["sigma"] ** 2 for s in samples) / n**2
    spread = sum((s["value"] - mean) ** 2 for s in samples) / (n - 1) / n
    return mean, math.sqrt(declared if n < 4 else max(declared, spread))


class Validator:
    def __init__(self):
        self.scores, self.forfeits, self.rounds, self.ended = {}, {}, [], None

    def fold(self, block, verdicts, forfeits):
        samples = {}
        for v in verdicts:
            samples.setdefault((v["uid"], v["registeredAt"], v["hotkey"]), []).append(v)
        for key, of in samples.items():
            value, sigma = mean_of(of)
            before = self.scores.get(key)
            keep = 0.5 ** (1 / HALF_LIFE) if before else 0
            average = keep * (before["average"] if before else 0) + (1 - keep) * value
            noise = math.sqrt((keep * (before["sigma"] if before else 0)) ** 2 + ((1 - keep) * sigma) ** 2)
            count = (before["samples"] if before else 0) + len(of)
            for other in [k for k in self.scores if k[0] == key[0] and k != key]:
                del self.scores[other]
            self.scores[key] = {"average": average, "sigma": noise, "samples": count, "last": block}
        self.scores = {k: s for k, s in self.scores.items() if s["last"] >= block - KEPT_ROUNDS * LENGTH}
        for f in forfeits:
            key = (f["uid"], f["registeredAt"], f["hotkey"], f["atBlock"])
            self.forfeits[key] = max(self.forfeits.get(key, 0), f["untilBlock"])
        self.rounds = [block, *self.rounds][:FRESH_ROUNDS]
        self.ended = block + 8

    def row(self, block, neurons):
        if not self.rounds or block - self.ended > FRESH_TEMPOS * TEMPO:
            return []
        oldest = self.rounds[-1]
        barred = {key[:3] for key, until in self.forfeits.items() if until > block}
        rewards = {}
        for key, score in self.scores.items():
            held = any((n["uid"], n["registeredAt"], n["hotkey"]) == key for n in neurons)
            if held and score["last"] >= oldest:
                rewards[key[0]] = float32(0 if key in barred else score["average"])
        largest = max(rewards.values(), default=0)
        if largest == 0:
            return []
        row = [[uid, round(reward / largest * 65535)] for uid, reward in sorted(rewards.items())]
        return [[uid, weight] for uid, weight in row if weight > 0]


def registered(rng, uid, block):
    return {"uid": uid, "hotkey": f"5F{rng.randrange(10**6)}", "registeredAt": block}


def history(seed):
    rng, validator, steps = random.Random(seed), Validator(), []
    neurons = [registered(rng, uid, rng.randrange(90)) for uid in range(6)]
    skill = {n["uid"]: rng.random() for n in neurons}
    block = 100
    for _ in range(30):
        if rng.random() < 0.15:
            uid = rng.randrange(6)
            neurons[uid] = registered(rng, uid, block - 1)
        verdicts, forfeits = [], []
        for n in neurons:
            if rng.random() < 0.15:
                continue
            for _ in range(rng.choice([1, 1, 1, 2, 5])):
                value = min(1, max(0, rng.gauss(skill[n["uid"]], 0.1)))
                verdicts.append({**n, "value": value, "sigma": rng.choice([0, 0.05, 0.1])})
            if rng.random() < 0.08:
                forfeits.append({**n, "atBlock": block, "untilBlock": block + rng.choice([30, 80])})
        rng.shuffle(verdicts)
        validator.fold(block, verdicts, forfeits)
        asked = block + rng.choice([8, 9, 15, 68, 69])
        scores = [
            {"uid": key[0], "average": s["average"], "sigma": s["sigma"], "samples": s["samples"]}
            for key, s in sorted(validator.scores.items())
        ]
        told = {"roundBlock": block, "verdicts": verdicts, "forfeits": forfeits, "neurons": [dict(n) for n in neurons]}
        steps.append({**told, "scores": scores, "at": asked, "row": validator.row(asked, neurons)})
        block += LENGTH * rng.choice([1, 1, 1, 2, 8])
    return {"seed": seed, "steps": steps}


terms = {"length": LENGTH, "tempo": TEMPO, "halfLifeRounds": HALF_LIFE}
print(json.dumps({"madeBy": "scripts/score-vectors.py", "terms": terms, "histories": [history(s) for s in range(4)]}))
