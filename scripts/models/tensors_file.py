"""Reads safetensors files, whatever number of them, as fp32 tensors."""

import json
from pathlib import Path

import torch

KINDS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
MOST_HEADER_BYTES = 100_000_000  # as the format says


def read_file(path: Path) -> dict[str, torch.Tensor]:
    """Reads one file: eight bytes of length, a JSON header, the tensors' bytes."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > min(MOST_HEADER_BYTES, len(content) - 8):
        raise SystemExit(f"{path} is no safetensors file")
    header, start, found = json.loads(content[8 : 8 + size]), 8 + size, {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        if about["dtype"] not in KINDS:
            raise SystemExit(f"{path}: {name} is {about['dtype']}; known are {', '.join(KINDS)}")
        first, last = about["data_offsets"]
        kind = KINDS[about["dtype"]]
        if not 0 <= first <= last <= len(content) - start:
            raise SystemExit(f"{path}: {name} lies outside the file")
        values = torch.frombuffer(bytearray(content[start + first : start + last]), dtype=kind)
        found[name] = values.reshape(about["shape"]).float()
    return found


def read_folder(folder: Path) -> dict[str, torch.Tensor]:
    """Reads model.safetensors, or the parts that its index names."""
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return read_file(folder / "model.safetensors")
    parts = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    if any("/" in part or part.startswith(".") for part in parts):
        raise SystemExit(f"{index} names files outside its folder")
    return {name: value for part in parts for name, value in read_file(folder / part).items()}


def write_file(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Writes fp32 tensors as one file."""
    header, blocks, at = {}, [], 0
    for name, value in tensors.items():
        block = value.detach().float().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + len(block)]}
        blocks.append(block)
        at += len(block)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blocks))
