/** The numbers of scripts/finetune-vectors.py: x ← 1664525 x + 1013904223 mod 2^32. */
export const drawsOf = (seed: number): { u32: () => number; floats: (n: number, scale: number) => Float32Array } => {
  let x = seed
  const u32 = (): number => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
    return x
  }
  return {
    u32,
    /** Cubes of sums of four, so that a few are much larger than the others. */
    floats: (n, scale) =>
      Float32Array.from({ length: n }, () => {
        const value = (u32() + u32() + u32() + u32()) / 2 ** 32 - 2
        return value * value * value * scale
      }),
  }
}

/** Reads base64 as bytes, or as numbers. */
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'))
export const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer)

/** A layout of so many elements in one tensor. */
export const layoutOf = (size: number) => ({ tensors: [{ name: 'all', shape: [size], offset: 0, length: size }], size })
