"""Times the same training steps by torch: training_step.py JOB_JSON; prints figures as its last line."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/models"))

import torch
from export_step import configuration
from model import LanguageModel


def main() -> None:
    job = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    model = LanguageModel(configuration(Path(job["model"])))
    update = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
    stream = [(index * 7919 + index // 8) % 1024 for index in range(job["stream"])]
    length = job["length"]
    tokens = torch.tensor([stream[row * length : row * length + length + 1] for row in range(job["batch"])])

    def spent(act) -> float:
        found = []
        for step in range(job["warmUp"] + job["steps"]):
            before = time.process_time()
            act()
            if step >= job["warmUp"]:
                found.append((time.process_time() - before) * 1e3)
        return sorted(found)[len(found) // 2]

    def gradients() -> None:
        model.zero_grad()
        model.loss(tokens).backward()

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        update.step()

    def forward() -> None:
        with torch.no_grad():
            model.loss(tokens)

    figures = {"pass": spent(gradients), "update": spent(step), "loss": spent(forward)}
    print(json.dumps({**figures, "step": figures["pass"] + figures["update"]}))


if __name__ == "__main__":
    main()
