"""Quantises weights in blocks, as com.microsoft.MatMulNBits reads them."""

import numpy as np


def quantise_blocks(weight: np.ndarray, bits: int, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rounds weights [outputs, inputs] to whole numbers with a scale and a zero for each block of inputs.

    Returns the packed numbers [outputs, blocks, bytes], scales [outputs × blocks] and packed zeros; of two numbers in a byte the
    first has the low bits.
    """
    outputs, inputs = weight.shape
    largest = (1 << bits) - 1
    blocks = weight.reshape(outputs, inputs // block, block)
    low = np.minimum(blocks.min(-1, keepdims=True), 0)
    high = np.maximum(blocks.max(-1, keepdims=True), 0)
    scale = (high - low) / largest
    scale[scale == 0] = 1
    zero = np.clip(np.rint(-low / scale), 0, largest)
    whole = np.clip(np.rint(blocks / scale + zero), 0, largest).astype(np.uint8)
    zeros = zero.astype(np.uint8)[..., 0]
    if bits == 4:
        whole = whole[..., 0::2] | (whole[..., 1::2] << 4)
        zeros = np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2)))
        zeros = zeros[:, 0::2] | (zeros[:, 1::2] << 4)
    return whole, scale.astype(np.float32).reshape(-1), zeros.reshape(-1)
