"""Writes a GGUF model's weights again, as F32 and as Q8_0: gguf_copies.py SOURCE.gguf FOLDER → f32.gguf, q8_0.gguf.

The F32 copy holds exactly the numbers that the ONNX export holds, so both run the same model; Q8_0 is made of them.
"""

import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, dequantize, quantize

FILE_TYPES = {"f32": 0, "q8_0": 7}


def copy(reader: GGUFReader, path: Path, kind: str) -> None:
    writer = GGUFWriter(str(path), "llama")
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        if key == "general.file_type":
            writer.add_uint32(key, FILE_TYPES[kind])
            continue
        inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        shape = tuple(int(size) for size in reversed(tensor.shape))
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
        if kind == "q8_0" and len(shape) == 2:
            packed = quantize(values, GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor.name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    for kind in FILE_TYPES:
        copy(GGUFReader(str(source)), folder / f"{kind}.gguf", kind)


main()
