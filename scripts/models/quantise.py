"""Quantises weights in blocks, as com.microsoft.MatMulNBits reads them."""

import numpy as np


def quantise_blocks(weight: np.ndarray, bits: int, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rounds weights [outputs, inputs] to whole numbers with a scale and a whole zero for each block of inputs.

    Returns the packed numbers [outputs, blocks, bytes], scales [outputs × blocks], packed zeros, and what the rounding of the zeros takes
    from each block's weights [outputs, blocks]; of two numbers in a byte the first has the low bits. Weights that lie on a grid of
    so many bits between their least and largest, as llama.cpp's Q4_1 has them, are these four exactly.
    """
    outputs, inputs = weight.shape
    largest = (1 << bits) - 1
    blocks = weight.reshape(outputs, inputs // block, block)
    low, high = blocks.min(-1, keepdims=True), blocks.max(-1, keepdims=True)
    scale = (high - low) / largest
    scale[scale == 0] = 1
    zero = np.clip(np.rint(-low / scale), 0, largest)
    whole = np.clip(np.rint((blocks - low) / scale), 0, largest).astype(np.uint8)
    rest = low + zero * scale
    zeros = zero.astype(np.uint8)[..., 0]
    if bits == 4:
        whole = whole[..., 0::2] | (whole[..., 1::2] << 4)
        zeros = np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2)))
        zeros = zeros[:, 0::2] | (zeros[:, 1::2] << 4)
    return whole, scale.astype(np.float32).reshape(-1), zeros.reshape(-1), rest.astype(np.float32)[..., 0]
