const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** Writes numbers as IEEE 754 binary32, little-endian, on every machine. */
export const floatsToBytes = (values: Float32Array): Uint8Array => {
  const bytes = new Uint8Array(4 * values.length)
  if (isLittleEndian) bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  else {
    const view = new DataView(bytes.buffer)
    for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true)
  }
  return bytes
}

/** Reads what `floatsToBytes` wrote, into a copy; what is left of a number at the end is left out. */
export const bytesToFloats = (bytes: Uint8Array): Float32Array => {
  const values = new Float32Array(Math.floor(bytes.length / 4))
  if (isLittleEndian) new Uint8Array(values.buffer).set(bytes.subarray(0, values.byteLength))
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (let index = 0; index < values.length; index += 1) values[index] = view.getFloat32(4 * index, true)
  }
  return values
}

/** Tells whether no number is NaN or infinite. */
export const areFinite = (values: Float32Array): boolean => {
  for (let index = 0; index < values.length; index += 1) if (!Number.isFinite(values[index])) return false
  return true
}
