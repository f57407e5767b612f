import { SubnetError } from '@arbor/shared/errors'
import type { LocalTerms } from '@arbor/shared/training'
import type { Hex, NetUid, Uid } from '@arbor/shared/units'
import { choicesFrom } from '../src/seed.ts'
import { roundSeed } from './seeds.ts'

/**
 * The stream is cut into slots of `length` tokens, from an offset that the seed draws, and the slots are brought into an order that it draws too: a
 * Feistel network over their numbers. Positions go on into further orders, each with an offset of its own, when the slots are used up.
 */
export interface Slots {
  /** Slots of one order. */
  readonly count: number
  /** First token of the window at a position. */
  start(position: number): number
}

/** Opens a seed's order of windows. @throws WINDOWS_NONE when the stream is shorter than two windows */
export const slotsOf = (of: { readonly seed: Hex; readonly tokens: number; readonly length: number }): Slots => {
  const { seed, tokens, length } = of
  // An offset takes length − 1 tokens at most, and the last window's last target one more.
  const count = Math.floor((tokens - length) / length)
  if (!(count >= 1))
    throw new SubnetError({
      code: 'WINDOWS_NONE',
      message: `A stream of ${tokens} tokens has no windows of ${length} tokens to choose from; it needs ${2 * length} at least: add text, or choose shorter windows`,
    })
  const orders = new Map<number, Order>()
  return {
    count,
    start: (position) => {
      const number = Math.floor(position / count)
      const order = orders.get(number) ?? orderOf({ seed, number, count, length })
      orders.set(number, order)
      return order.offset + length * order.slot(position % count)
    },
  }
}

interface Order {
  readonly offset: number
  slot(position: number): number
}

const ROUNDS = 6

const orderOf = (of: {
  readonly seed: Hex
  readonly number: number
  readonly count: number
  readonly length: number
}): Order => {
  const choices = choicesFrom({ seed: of.seed, label: `windows/${of.number}` })
  const offset = choices.below(of.length)
  const keys = Array.from({ length: ROUNDS }, () => choices.below(2 ** 32))
  return { offset, slot: (position) => permute({ position, count: of.count, keys }) }
}

/**
 * Takes a number below `count` to another one, each to its own: a balanced Feistel network on as many bits as are needed, walked on until the result is
 * below `count` (four steps a number at most, on average).
 */
const permute = (of: {
  readonly position: number
  readonly count: number
  readonly keys: readonly number[]
}): number => {
  let half = 1
  while (4 ** half < of.count) half += 1
  const mask = 2 ** half - 1
  let value = of.position
  do {
    let [left, right] = [Math.floor(value / 2 ** half), value & mask]
    for (const key of of.keys) [left, right] = [right, left ^ (mixed(right ^ key) & mask)]
    value = left * 2 ** half + right
  } while (value >= of.count)
  return value
}

/** Mixes 32 bits. @source Austin Appleby, MurmurHash3, fmix32 */
const mixed = (value: number): number => {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/**
 * Gives the windows that a miner is to train on, pass by pass. All miners of a round share one order of slots, of which each has the part of its uid: no two
 * have a window in common unless the stream is too short for all.
 * @param of.blockHash of the round's first block
 * @param of.tokens of the stream
 */
export const assignedWindows = (of: {
  readonly blockHash: Hex
  readonly netuid: NetUid
  readonly round: number
  readonly uid: Uid
  readonly tokens: number
  readonly local: Pick<LocalTerms, 'steps' | 'accumulate' | 'batch' | 'length'>
}): ((pass: number) => readonly number[]) => {
  const { steps, accumulate, batch, length } = of.local
  const slots = slotsOf({ seed: roundSeed(of), tokens: of.tokens, length })
  const first = of.uid * steps * accumulate * batch
  return (pass) => startsAt(slots, first + pass * batch, batch)
}

/** Gives batches of windows that nobody was given. @param of.seed `unseenSeed` */
export const unseenWindows = (of: {
  readonly seed: Hex
  readonly tokens: number
  readonly batches: number
  readonly local: Pick<LocalTerms, 'batch' | 'length'>
}): readonly (readonly number[])[] => {
  const { batch, length } = of.local
  const slots = slotsOf({ seed: of.seed, tokens: of.tokens, length })
  return Array.from({ length: of.batches }, (_, index) => startsAt(slots, index * batch, batch))
}

const startsAt = (slots: Slots, first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => slots.start(first + index))

/** Counts the tokens that an honest miner trains on in a round. */
export const tokensOf = ({ steps, accumulate, batch, length }: Omit<LocalTerms, 'adamw'>): number =>
  steps * accumulate * batch * length
