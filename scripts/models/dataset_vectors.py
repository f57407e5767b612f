"""Writes test/vectors/dataset/documents.json: documents as Python's tokenizers reads them, control tokens in them as text."""

import json
from importlib.metadata import version
from pathlib import Path

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    "a.md": "# Title\n\nPlain text, and more of it.\n",
    "code.ts": "export const f = (x: number): number => x + 1 // it's\n\n\n  indented\ttab",
    "control.md": "An end <|endoftext|> in text, <|pad|> too",
    "umlaut.txt": "Größe — naïve 日本語 🙂🏽\r\nline",
    "space.txt": "   \n\t  ",
}

if __name__ == "__main__":
    tokenizer = Tokenizer.from_file(str(ROOT / "models/arbor-tiny/tokenizer.json"))
    tokenizer.encode_special_tokens = True
    documents = {
        name: {"text": text, "tokens": tokenizer.encode(text, add_special_tokens=False).ids}
        for name, text in DOCUMENTS.items()
    }
    made = {"madeBy": f"tokenizers {version('tokenizers')}, models/arbor-tiny/tokenizer.json", "documents": documents}
    target = ROOT / "test/vectors/dataset/documents.json"
    target.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
