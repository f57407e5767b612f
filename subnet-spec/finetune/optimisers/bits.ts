import { SubnetError } from '@arbor/shared/errors'

/** Writes numbers of a few bits one after another, each byte from its lowest bit on. */
export interface BitWriter {
  /** Writes the lowest `count` bits of a value; at most 16. */
  put(value: number, count: number): void
  /** Gives the bytes; what is left of the last one is zeros. */
  bytes(): Uint8Array
}

/** Creates a writer of so many bytes at most. */
export const bitWriter = (mostBytes: number): BitWriter => {
  const bytes = new Uint8Array(mostBytes)
  let [at, held, bits] = [0, 0, 0]
  return {
    put: (value, count) => {
      held |= (value & ((1 << count) - 1)) << bits
      bits += count
      while (bits >= 8) {
        bytes[at] = held & 255
        at += 1
        held >>>= 8
        bits -= 8
      }
    },
    bytes: () => {
      if (bits > 0) bytes[at] = held
      return bytes.slice(0, bits > 0 ? at + 1 : at)
    },
  }
}

/** Reads what a writer wrote. */
export interface BitReader {
  /** Reads a number of so many bits, at most 16. @throws UPDATE_MALFORMED at the end of the bytes */
  take(count: number): number
  /** Counts the ones before the next zero and reads both. @throws UPDATE_MALFORMED when there are more than `most` */
  unary(most: number): number
  /** Tells whether nothing is left but the zeros that fill the last byte. */
  isDone(): boolean
}

/** Opens bytes for reading. */
export const bitReader = (bytes: Uint8Array): BitReader => {
  let [at, held, bits] = [0, 0, 0]
  const take = (count: number): number => {
    while (bits < count) {
      if (at === bytes.length) throw malformed('ends too early')
      held |= (bytes[at] ?? 0) << bits
      at += 1
      bits += 8
    }
    const value = held & ((1 << count) - 1)
    held >>>= count
    bits -= count
    return value
  }
  return {
    take,
    unary: (most) => {
      let ones = 0
      while (take(1) === 1) {
        ones += 1
        if (ones > most) throw malformed('names an element behind the end of its chunk')
      }
      return ones
    },
    isDone: () => at === bytes.length && held === 0,
  }
}

/** Says what is wrong with a payload. */
export const malformed = (what: string): SubnetError =>
  new SubnetError({ code: 'UPDATE_MALFORMED', message: `The update's payload ${what}; it is not counted` })
