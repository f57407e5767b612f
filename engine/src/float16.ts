import { Tensor } from 'onnxruntime-node'

// onnxruntime-node 1.30 finds no bytes in a Float16Array, which Node has from version 24 on. Its tensors look once whether there is
// one, when the first is made, and take 16-bit integers where not: so the first is made while there is none.
const native = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array')
Reflect.deleteProperty(globalThis, 'Float16Array')
new Tensor('bool', Uint8Array.of(1), [1])
if (native !== undefined) Object.defineProperty(globalThis, 'Float16Array', native)

/** Values of every half-precision number, by its bits. */
let table: Float32Array | undefined

/** Widens half-precision numbers, given as their bits. */
export const widen = (bits: Uint16Array): Float32Array => {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, half) => numberOf(half))
  const values = new Float32Array(bits.length)
  for (let index = 0; index < bits.length; index++) values[index] = table[bits[index] ?? 0] ?? 0
  return values
}

const numberOf = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
