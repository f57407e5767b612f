import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ms } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { createLagMeter } from '../../src/dendrite/lag.ts'

/** A clock whose sleepers are woken late, as by a loop that was busy. */
const lateClock = () => {
  const manual = createManualClock()
  let skipped = 0
  return {
    clock: { ...manual, monotonic: () => (manual.monotonic() + skipped) as Ms },
    advance: manual.advance,
    /** Time passes in which nothing can run. */
    block: (ms: number) => {
      skipped += ms
    },
    sleeping: manual.sleeping,
  }
}

describe('lag meter', () => {
  test('says nothing while the loop is on time', async () => {
    const { clock, advance } = lateClock()
    using watch = createLagMeter({ clock }).watch()
    await advance(500)
    expect(watch.worstMs()).toBe(0)
  })

  test('counts a beat that is overdue though it could not come yet', async () => {
    const { clock, advance, block } = lateClock()
    using watch = createLagMeter({ clock }).watch()
    await advance(100)
    block(300)
    expect(watch.worstMs()).toBeGreaterThanOrEqual(290)
  })

  test('remembers a late beat for those who watched then, and tells the others nothing of it', async () => {
    const { clock, advance, block } = lateClock()
    const meter = createLagMeter({ clock })
    using before = meter.watch()
    await advance(100)
    block(300)
    await advance(10)
    await advance(100)
    using after = meter.watch()
    await advance(100)
    expect(before.worstMs()).toBeGreaterThanOrEqual(290)
    expect(after.worstMs()).toBe(0)
  })

  test('beats only while somebody watches', async () => {
    const { clock, advance, sleeping } = lateClock()
    const meter = createLagMeter({ clock })
    const watch = meter.watch()
    expect(sleeping()).toBe(1)
    watch[Symbol.dispose]()
    await advance(100)
    expect(sleeping()).toBe(0)
    using again = meter.watch()
    await advance(100)
    expect([sleeping(), again.worstMs()]).toEqual([1, 0])
  })
})
