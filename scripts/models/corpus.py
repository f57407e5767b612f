"""Reads the training text: the Markdown of the Rust books in Debian's rust-src package (MIT or Apache-2.0)."""

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PACKAGE = "rust-src"
VERSION = "1.63.0+dfsg1-2"
PACKAGE_SHA256 = "410b8c6d464cabbe5fb3154ab8c3d374980dd597fbe7e3b7bb3ed8dd1bf11e25"
# The Embedded Rust Book is left out: its prose is CC-BY-SA. Superseded editions of the book repeat its text.
BOOKS = ("book", "edition-guide", "nomicon", "reference", "rust-by-example", "rustc", "rustc-dev-guide", "rustdoc", "unstable-book")
OLD_EDITIONS = ("first-edition", "second-edition", "2018-edition")
MIN_CHARACTERS = 400
VALIDATION_SHARE = 20  # one file in twenty
END_TOKEN = "<|endoftext|>"
PAD_TOKEN = "<|pad|>"


def fetch(work: Path) -> Path:
    """Downloads the package by apt, checks its hash, and unpacks it without installing it. Returns the unpacked root."""
    root = work / "corpus"
    if (root / "done").exists():
        return root
    root.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", f"{PACKAGE}={VERSION}"], cwd=root, check=True)
    archive = next(root.glob("*.deb"))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != PACKAGE_SHA256:
        raise SystemExit(f"{archive.name} has SHA-256 {found}, expected {PACKAGE_SHA256}: pin the new version on purpose")
    subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=root, check=True)
    (root / "done").touch()
    return root


def files(root: Path) -> list[Path]:
    """Lists the Markdown files in a fixed order."""
    docs = next(root.glob("usr/src/rustc-*/src/doc"))
    found = [path for book in BOOKS for path in (docs / book).rglob("*.md")]
    kept = [path for path in found if not any(old in path.parts for old in OLD_EDITIONS)]
    return sorted(kept, key=lambda path: path.relative_to(docs).as_posix())


def texts(root: Path) -> tuple[list[str], list[str]]:
    """Splits the files into training and validation by the hash of their path below src/doc."""
    train, validation = [], []
    for path in files(root):
        text = path.read_text(encoding="utf8", errors="ignore")
        if len(text) < MIN_CHARACTERS:
            continue
        name = path.as_posix().split("/src/doc/")[1]
        held_out = int(hashlib.sha256(name.encode()).hexdigest(), 16) % VALIDATION_SHARE == 0
        (validation if held_out else train).append(text)
    return train, validation


def train_tokenizer(train: list[str], vocabulary: int) -> Tokenizer:
    """Trains a byte-level BPE, so that every text has tokens and every token sequence has bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_TOKEN, PAD_TOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(train, trainer)
    return tokenizer


def load(work: Path, vocabulary: int) -> dict:
    """Returns the tokenizer, both token streams (each file ends with the end token), and the validation bytes a token."""
    train, validation = texts(fetch(work))
    path = work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(train, vocabulary).save(str(path))
    tokenizer = Tokenizer.from_file(str(path))
    end = tokenizer.token_to_id(END_TOKEN)

    def encode(parts: list[str]) -> np.ndarray:
        return np.concatenate([np.array(item.ids + [end], dtype=np.int64) for item in tokenizer.encode_batch(parts)])

    held_out = encode(validation)
    size = sum(len(text.encode()) for text in validation)
    return {
        "tokenizer": tokenizer,
        "train": encode(train),
        "validation": held_out,
        "bytes_per_token": size / len(held_out),
        "source": {
            "package": f"Debian {PACKAGE} {VERSION}",
            "packageSha256": PACKAGE_SHA256,
            "text": "Markdown of src/doc: " + ", ".join(BOOKS),
            "licence": "MIT OR Apache-2.0 (src/doc/* in the package's debian/copyright)",
            "files": len(train) + len(validation),
            "bytes": sum(len(text.encode()) for text in train) + size,
        },
    }


if __name__ == "__main__":
    import sys

    loaded = load(Path(sys.argv[1]), 1024)
    print(json.dumps(loaded["source"]), len(loaded["train"]), len(loaded["validation"]), loaded["bytes_per_token"])
