import type { Block, Blocks } from '@arbor/shared/units'
import { expect, test } from 'vitest'
import type { WeightAttempt } from '../../src/weights/attempt.ts'
import { backingOff, openingBacksOff } from '../../src/weights/backoff.ts'

const lost = {
  state: 'lost',
  computedAt: 100 as Block,
  sent: null,
  committedAt: null,
  readBackAt: null,
  error: 'Expired',
}
const tries = (n: number) => Array.from({ length: n }, () => lost) as unknown as WeightAttempt[]
const until = (n: number, tempo: number) =>
  backingOff(tries(n), { block: 100 as Block, tempo: tempo as Blocks })?.until ?? null

test('pause after tries that came to nothing doubles up to 16 blocks', () => {
  expect([1, 2, 3, 4, 5, 9].map((n) => until(n, 360))).toEqual([101, 102, 104, 108, 116, 116])
  expect(until(0, 360)).toBeNull()
  expect(backingOff(tries(9), { block: 116 as Block, tempo: 360 as Blocks })).toBeNull()
})

test('pause takes no more than a quarter of an epoch, so that none of a short one is missed', () => {
  expect([1, 2, 3, 9].map((n) => until(n, 10))).toEqual([101, 102, 102, 102])
  expect(until(9, 2)).toBe(101)
  const attempt = { sent: { hash: '0x', birth: 100, lastBlock: 104 }, error: 'x' } as unknown as WeightAttempt
  const opens = (block: number) => !openingBacksOff(attempt, 9, { block: block as Block, tempo: 10 as Blocks })
  expect([101, 102].map(opens)).toEqual([false, true])
})
