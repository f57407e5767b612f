import { SubnetError } from '@arbor/shared/errors'
import { createManualClock, type ManualClock } from '@arbor/shared/manual-clock'
import { describe, expect, test } from 'vitest'
import { slotOf } from '../src/embedded/header.ts'
import { runLoop } from '../src/embedded/production.ts'
import { nextSlot, waitForSlotMs } from '../src/embedded/slots.ts'
import { ALICE, BOB, createSigner, startTestChain } from './support/embedded.ts'

const START = 1_800_000_000_300

/** Moves time on in steps, so that each sleeper sees the time at which it asked to wake. */
const pass = async (clock: ManualClock, ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 100) await clock.advance(100)
}

describe('production', () => {
  test('mode interval makes a block at the start of each slot', async () => {
    const clock = createManualClock(START)
    const { chain } = await startTestChain({ clock, mode: { kind: 'interval', blockTimeMs: 2_000 } })
    const slots: (readonly [number, number | null])[] = []
    chain.onEvent(({ kind, block }) => {
      if (kind === 'best') slots.push([clock.now(), slotOf(block.header)])
    })
    await pass(clock, 7_000)
    const seen = slots.filter(([now]) => now > START)
    expect(seen.map(([now]) => now)).toEqual([1_800_000_002_000, 1_800_000_004_000, 1_800_000_006_000])
    expect(seen.every(([now, slot]) => now === (slot ?? 0) * 2_000)).toBe(true)
    await chain.close()
    await expect(chain.done).resolves.toBeUndefined()
  })

  test('mode instant makes a block when the source has something, and none otherwise', async () => {
    const clock = createManualClock(START)
    const { chain, source } = await startTestChain({ clock, mode: { kind: 'instant' } })
    await pass(clock, 500)
    expect(chain.best().header.number).toBe(0)
    const { sign } = createSigner(chain)
    source.offer(sign(ALICE, 0, 'system', 'remark', '0x01'))
    source.offer(sign(BOB, 0, 'system', 'remark', '0x02'))
    chain.poke()
    await pass(clock, 500)
    expect(chain.best().header.number).toBe(1)
    expect(chain.best().extrinsics).toHaveLength(3)
    chain.poke()
    await pass(clock, 500)
    expect(chain.best().header.number).toBe(1)
    await chain.close()
  })

  test('production ends with its reason when a block cannot be made', async () => {
    const clock = createManualClock(START)
    const { chain } = await startTestChain({ clock, mode: { kind: 'interval', blockTimeMs: 1_000 }, authority: BOB })
    const failed = expect(chain.done).rejects.toMatchObject({ code: 'CHAIN_NOT_AUTHORITY' })
    await pass(clock, 100)
    await failed
    await chain.close()
  })

  test.each([
    'interval',
    'instant',
  ] as const)('mode %s goes on when blocks could not be written for a while', async (kind) => {
    const clock = createManualClock(START)
    const stop = new AbortController()
    const full = new SubnetError({ code: 'CHAIN_NOT_WRITTEN', message: 'the disk is full' })
    const [made, refused]: [number[], unknown[]] = [[], []]
    const { done, poke } = runLoop({
      chain: {
        slots: () => ({ last: Math.floor(clock.now() / 1_000) - 1, slotMs: 1_000 }),
        hasReady: () => made.length === 0,
        make: () => {
          if (refused.length < 3) throw full
          made.push(clock.now() - START)
          stop.abort()
          return { block: undefined as never, settled: 1 }
        },
      },
      mode: kind === 'interval' ? { kind, blockTimeMs: 1_000 } : { kind },
      clock,
      signal: stop.signal,
      onUnwritten: (error) => refused.push(error),
    })
    poke()
    await pass(clock, 10_000)
    await done
    expect(refused).toEqual([full, full, full])
    expect(made).toEqual([6_000]) // three times 2 s later
  })

  test('production ends without an error when its signal aborts, and the chain still answers', async () => {
    const stop = new AbortController()
    const { chain } = await startTestChain({ mode: { kind: 'interval', blockTimeMs: 1_000 }, signal: stop.signal })
    stop.abort()
    await expect(chain.done).resolves.toBeUndefined()
    expect(chain.state(chain.best().hash).keys(new Uint8Array(), { count: 1 })).toHaveLength(1)
    await chain.close()
  })
})

describe('slots', () => {
  const slotMs = 1_000
  const isOurs = (): boolean => true

  test.each([
    { what: 'genesis', nowMs: 5_500, last: null, slot: 5, waitMs: 0 },
    { what: 'the slot after the last', nowMs: 5_500, last: 4, slot: 5, waitMs: 0 },
    { what: 'a slot that has its block', nowMs: 5_500, last: 5, slot: 6, waitMs: 500 },
    { what: 'missed slots', nowMs: 60_000, last: 5, slot: 60, waitMs: 0 },
    { what: 'a clock that was set back', nowMs: 5_500, last: 900, slot: 901, waitMs: 1_000 },
  ])('slot is $slot after $waitMs ms for $what', ({ nowMs, last, slot, waitMs }) => {
    expect(nextSlot({ nowMs, slotMs, last, isOurs, authors: 1 })).toBe(slot)
    expect(waitForSlotMs({ nowMs, slotMs, last })).toBe(waitMs)
  })

  test('slot is the next of ours when there are more authors', () => {
    const third = (slot: number): boolean => slot % 4 === 2
    expect(nextSlot({ nowMs: 5_500, slotMs, last: 4, isOurs: third, authors: 4 })).toBe(6)
    expect(nextSlot({ nowMs: 5_500, slotMs, last: 6, isOurs: third, authors: 4 })).toBe(10)
  })
})
