"""Trains one of the models: train.py NAME WORK_FOLDER. A fixed number of seeded steps, so that a re-run repeats it."""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

from corpus import load
from model import CONFIGS, Config, LanguageModel, parameter_count

BATCH, LENGTH = 8, 256  # 2 048 tokens a step
STEPS = {"arbor-2m": 1_800, "arbor-tiny": 1_200}
PEAK_RATE = {"arbor-2m": 3e-3, "arbor-tiny": 4e-3}
WARM_UP, FLOOR = 50, 0.05  # steps; share of the peak rate that the cosine ends at
EVALUATION = 24  # batches


def draw(tokens: np.ndarray, generator: torch.Generator) -> torch.Tensor:
    starts = torch.randint(0, len(tokens) - LENGTH - 1, (BATCH,), generator=generator).tolist()
    return torch.stack([torch.from_numpy(tokens[start : start + LENGTH + 1]) for start in starts])


def evaluate(model: LanguageModel, tokens: np.ndarray) -> float:
    """Mean loss (nats a token) over evenly spaced windows of the validation stream."""
    starts = np.linspace(0, len(tokens) - LENGTH - 1, EVALUATION * BATCH).astype(int).reshape(EVALUATION, BATCH)
    with torch.no_grad():
        losses = [
            model.loss(torch.stack([torch.from_numpy(tokens[start : start + LENGTH + 1]) for start in row])).item()
            for row in starts
        ]
    return sum(losses) / len(losses)


def rate(step: int, steps: int, peak: float) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return peak * min(1, (step + 1) / WARM_UP) * (FLOOR + (1 - FLOOR) * cosine)


def train(name: str, config: Config, data: dict) -> tuple[LanguageModel, dict]:
    """Runs AdamW with weight decay on matrices only; returns the model and what its card says about training."""
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    model, generator, steps = LanguageModel(config), torch.Generator().manual_seed(1), STEPS[name]
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, steps, PEAK_RATE[name])
        loss = model.loss(draw(data["train"], generator))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 100 == 0:
            print(f"{name} step {step}/{steps} loss {loss.item():.3f} cpu {time.process_time():.0f} s", flush=True)
    validation = evaluate(model.eval(), data["validation"])
    return model, {
        "parameters": parameter_count(model),
        "steps": steps,
        "tokensSeen": steps * BATCH * LENGTH,
        "validationLoss": round(validation, 4),
        "validationBitsPerByte": round(validation / math.log(2) / data["bytes_per_token"], 4),
    }


if __name__ == "__main__":
    chosen, work = sys.argv[1], Path(sys.argv[2])
    loaded = load(work, CONFIGS[chosen].vocab_size)
    trained, report = train(chosen, CONFIGS[chosen], loaded)
    torch.save(trained.state_dict(), work / f"{chosen}.pt")
    (work / f"{chosen}.json").write_text(json.dumps({"data": loaded["source"], "training": report}, indent=2))
    print(chosen, json.dumps(report))
