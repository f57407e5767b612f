import type { Clock } from '@arbor/shared/clock'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ss58, UnixMs } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { openLanes } from '../src/bittensor/lanes.ts'
import { uuid1 } from '../src/bittensor/uuid.ts'

const bob = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' as Ss58
const dave = '5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy' as Ss58

const open = () => {
  const time = { now: 1_795_225_544_684 }
  const clock: Clock = { ...createManualClock(), now: () => time.now as UnixMs }
  let made = 0
  const lanes = openLanes({ clock, randomBytes: (length) => new Uint8Array(length).fill(++made) })
  return { time, lanes }
}

describe('lanes', () => {
  it('give no uuid twice at one miner at once', () => {
    const { lanes } = open()
    const taken = Array.from({ length: 128 }, () => lanes.take(bob).uuid)
    expect(new Set(taken).size).toBe(128)
  })

  it('give the first free uuid again, and the same ones to other miners', () => {
    const { lanes } = open()
    const [first, second] = [lanes.take(bob), lanes.take(bob)]
    first[Symbol.dispose]()
    expect(lanes.take(bob).uuid).toBe(first.uuid)
    expect(lanes.take(dave).uuid).toBe(first.uuid)
    expect(lanes.take(dave).uuid).toBe(second.uuid)
    expect(lanes.size).toBe(2)
  })

  it('free nothing when a lane is disposed twice', () => {
    const { lanes } = open()
    const first = lanes.take(bob)
    first[Symbol.dispose]()
    const again = lanes.take(bob)
    first[Symbol.dispose]()
    expect(lanes.take(bob).uuid).not.toBe(again.uuid)
  })

  it('number questions upwards when the clock stands still or goes back a little', () => {
    const { time, lanes } = open()
    const first = lanes.nonce()
    expect(first).toBe(1_795_225_544_684_000_000n)
    expect(lanes.nonce()).toBe(first + 1n)
    time.now -= 1_999
    expect(lanes.nonce()).toBe(first + 2n)
    time.now = 1_795_225_544_685
    expect(lanes.nonce()).toBe(first + 1_000_000n)
  })

  it('number from the present under new uuids when the clock was ahead and is set right', () => {
    const { time, lanes } = open()
    const held = lanes.take(bob)
    const before = lanes.nonce()
    time.now -= 3_600_000
    const now = lanes.take(dave)
    expect(now.uuid).not.toBe(held.uuid)
    expect(lanes.take(bob).uuid).not.toBe(held.uuid)
    expect(lanes.nonce()).toBe(before - 3_600_000_000_000n)
    expect(lanes.nonce()).toBe(before - 3_600_000_000_000n + 1n)
  })
})

// From Python 3.11: uuid.UUID(fields=…, version=1) of that time, clock_seq 0x1234, node 0x0102030405ff
describe('uuid1', () => {
  it('writes time, version, variant and node as RFC 9562 says', () => {
    const random = Uint8Array.from([0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0x05, 0xff])
    expect(uuid1({ at: 1_795_225_544_684 as UnixMs, random })).toBe('4454b2c0-e54d-11f1-9234-0102030405ff')
  })
})
