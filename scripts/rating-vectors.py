#!/usr/bin/env python3
"""Writes test/vectors/finetune/ratings.json: rounds of verdict values and the ratings that they lead to, computed by the Python package
openskill (6.2.0, pip install openskill) in place of the npm package of that name.

    python3 scripts/rating-vectors.py > test/vectors/finetune/ratings.json
"""
import json
import random
import sys

from openskill.models import PlackettLuce

MOST = 50


def play(rng, terms, miners, rounds):
    model = PlackettLuce(**{name: terms[name] for name in ("mu", "sigma", "beta", "tau")})
    held, out = {}, []
    for _ in range(rounds):
        judged = [uid for uid in range(miners) if rng.random() < 0.9]
        # few different values, so that many tie; a third fail
        values = {uid: 0.0 if rng.random() < 0.33 else rng.choice([0.1, 0.25, terms["bar"], 0.5, 0.75, 1.0]) for uid in judged}
        teams = [[model.rating()]]  # the bar, as new as ever
        teams += [[held[uid] if uid in held else model.rating()] for uid in judged]
        rated = model.rate(teams, scores=[terms["bar"], *values.values()])
        for uid, (player,) in zip(judged, rated[1:]):
            player.mu = min(MOST, max(0.0, player.mu + terms["mu"] - rated[0][0].mu))
            held[uid] = player
        out.append(
            {
                "values": [[uid, values[uid]] for uid in judged],
                "ratings": [[uid, held[uid].mu, held[uid].sigma] for uid in sorted(held)],
            }
        )
    return {"terms": terms, "rounds": out}


def main():
    rng = random.Random(8)
    usual = {"mu": 25, "sigma": 25 / 3, "beta": 25 / 6, "tau": 25 / 300, "bar": 0.35}
    games = [
        play(rng, usual, 1, 4),
        play(rng, usual, 7, 60),
        play(rng, usual, 24, 20),
        play(rng, {**usual, "mu": 30, "sigma": 6, "beta": 3, "tau": 1, "bar": 0.5}, 9, 20),
    ]
    json.dump({"games": games}, sys.stdout)
    print()


main()
