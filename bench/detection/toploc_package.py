"""Verifies proofs with the package toploc: toploc_package.py FILE.jsonl → one JSON line an answer.

A line of the file is {"proofs": [base64…], "rows": base64 of float32 [tokens × width], "width": n}: the validator's own activations, and
what a miner sent. Printed is the worst chunk: values among the 128 whose exponents differ, and the mean error of the others' mantissas;
null for an answer whose last chunk has fewer than 128 values, which the package refuses to look at.
"""

import base64
import json
import sys

import numpy as np
import torch
from toploc import verify_proofs_base64

CHUNK_TOKENS = 32
TOP_K = 128


def main() -> None:
    with open(sys.argv[1], encoding="utf8") as lines:
        for line in lines:
            answer = json.loads(line)
            rows = np.frombuffer(base64.b64decode(answer["rows"]), np.float32).reshape(-1, answer["width"])
            last = len(rows) % CHUNK_TOKENS or CHUNK_TOKENS
            if last * answer["width"] < TOP_K:
                print(json.dumps(None))
                continue
            activations = [torch.from_numpy(row.copy()).to(torch.bfloat16) for row in rows]
            results = verify_proofs_base64(
                activations, answer["proofs"], decode_batching_size=CHUNK_TOKENS, topk=TOP_K, skip_prefill=True
            )
            mismatches = [getattr(each, "exp_mismatches", None) for each in results]
            if None in mismatches:
                mismatches = [TOP_K - each.exp_intersections for each in results]
            worst = {"exponentMismatches": max(mismatches), "mantissaError": float(max(each.mant_err_mean for each in results))}
            print(json.dumps(worst))


main()
