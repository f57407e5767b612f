import { createHash } from 'node:crypto'
import { keypairFromUri } from '@arbor/shared/keys'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Ms, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { createOwnSessions } from '../../src/dendrite/own-session.ts'

const keypair = keypairFromUri('//Alice')
const hour = 3_600_000
const never = new AbortController().signal

/** Secret bytes that are the same in each run, and never twice in one. */
const seededBytes = () => {
  let turn = 0
  return (length: number): Uint8Array =>
    createHash('shake256', { outputLength: length }).update(`seed ${turn++}`).digest()
}

const setUp = (signer: Signer = keypair) => {
  const manual = createManualClock()
  let behindMs = 0
  const clock = {
    ...manual,
    now: () => (manual.now() - behindMs) as UnixMs,
    /** Sets the wall clock back. */
    setBack: (ms: number): void => {
      behindMs += ms
    },
  }
  const warned: object[] = []
  const sessions = createOwnSessions({
    signer,
    genesisHash: new Uint8Array(32).fill(1),
    netuid: 1 as NetUid,
    clock,
    lifetimeMs: hour as Ms,
    randomBytes: seededBytes(),
    log: { debug: () => undefined, warn: (fields) => void warned.push(fields) },
  })
  return { clock, sessions, warned }
}
const miner = 'miner' as Ss58

describe('own session', () => {
  test('is opened once for all who ask at the same time', async () => {
    const { sessions } = setUp()
    sessions.registered(5 as Block)
    const [first, second] = await Promise.all([sessions.current(never), sessions.current(never)])
    expect(first).toBe(second)
    expect(first?.session.certificate).toMatchObject({ purpose: 'ask', audience: null, registeredAt: 5 })
    expect(await sessions.current(never)).toBe(first)
  })

  test('is refused before our registration is known', async () => {
    await expect(setUp().sessions.current(never)).rejects.toThrow('registration')
  })

  test('is renewed at half its life, while the old one still serves', async () => {
    const { clock, sessions } = setUp()
    sessions.registered(5 as Block)
    const first = await sessions.current(never)
    await clock.advance(hour / 2 - 1)
    expect(await sessions.current(never)).toBe(first)
    await clock.advance(1)
    expect(await sessions.current(never)).toBe(first)
    await clock.advance(0)
    const second = await sessions.current(never)
    expect(second).not.toBe(first)
    expect(second.session.certificate.issuedAt).toBeGreaterThan(first.session.certificate.issuedAt)
  })

  test('serves on when its renewal fails, which is tried again after a while and not at once', async () => {
    let signed = 0
    const signer: Signer = {
      ...keypair,
      sign: (message) => {
        signed += 1
        if (signed > 1) throw new Error('the holder is away')
        return keypair.sign(message)
      },
    }
    const { clock, sessions, warned } = setUp(signer)
    sessions.registered(5 as Block)
    const first = await sessions.current(never)
    await clock.advance(hour / 2)
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await sessions.current(never)).toBe(first)
      await clock.advance(1)
    }
    expect([signed, warned.length]).toEqual([2, 1])
    await clock.advance(10_000)
    expect(await sessions.current(never)).toBe(first)
    await clock.advance(hour / 2)
    await expect(sessions.current(never)).rejects.toThrow('away')
  })

  test('ends when our registration changes, also while it is being opened', async () => {
    const { sessions } = setUp()
    sessions.registered(5 as Block)
    const opening = sessions.current(never)
    sessions.registered(9 as Block)
    expect((await opening).session.certificate.registeredAt).toBe(9)
    const held = await sessions.current(never)
    sessions.registered(9 as Block)
    expect(await sessions.current(never)).toBe(held)
    sessions.registered(12 as Block)
    expect((await sessions.current(never)).session.certificate.registeredAt).toBe(12)
  })

  test('is replaced on the word of a miner, issued later though the clock stands', async () => {
    const { sessions } = setUp()
    sessions.registered(5 as Block)
    const first = await sessions.current(never)
    expect(sessions.retire(first, miner)).toBe(true)
    const second = await sessions.current(never)
    expect(second.session.certificate.issuedAt).toBe(first.session.certificate.issuedAt + 1)
  })

  test('is opened anew at the time that it is, when the clock was ahead and is set right', async () => {
    const { clock, sessions } = setUp()
    sessions.registered(5 as Block)
    const first = await sessions.current(never)
    clock.setBack(5_000)
    expect(await sessions.current(never)).toBe(first)
    clock.setBack(hour - 5_000)
    const second = await sessions.current(never)
    expect(second.session.certificate.issuedAt).toBe(clock.now())
    expect(await sessions.current(never)).toBe(second)
  })

  test('is replaced once for all who find it old at the same time', async () => {
    const { sessions } = setUp()
    sessions.registered(5 as Block)
    const first = await sessions.current(never)
    expect(sessions.retire(first, miner)).toBe(true)
    const second = await sessions.current(never)
    expect(sessions.retire(first, 'another' as Ss58)).toBe(true)
    expect(await sessions.current(never)).toBe(second)
  })

  test('is not worn out by one miner, nor by many of them', async () => {
    const { clock, sessions } = setUp()
    sessions.registered(5 as Block)
    expect(sessions.retire(await sessions.current(never), miner)).toBe(true)
    await clock.advance(60_000)
    expect(sessions.retire(await sessions.current(never), miner)).toBe(false)
    expect(sessions.retire(await sessions.current(never), 'another' as Ss58)).toBe(true)
    expect(sessions.retire(await sessions.current(never), 'a third' as Ss58)).toBe(false)
    await clock.advance(600_000)
    expect(sessions.retire(await sessions.current(never), miner)).toBe(true)
  })

  test('is not waited for without end when the hotkey’s holder is silent, and tried again', async () => {
    let signed = 0
    const sign: Signer['sign'] = (message) => {
      signed += 1
      return signed === 1 ? new Promise(() => undefined) : keypair.sign(message)
    }
    const { clock, sessions } = setUp({ ...keypair, sign })
    sessions.registered(5 as Block)
    const stop = new AbortController()
    const stopped = sessions.current(stop.signal)
    const late = sessions.current(never)
    stop.abort(new Error('stop'))
    await expect(stopped).rejects.toThrow('stop')
    const outcome = expect(late).rejects.toThrow('did not sign within 10000 ms')
    await clock.advance(10_000)
    await outcome
    expect((await sessions.current(never)).session.purpose).toBe('ask')
  })

  test('counts each receiver from one', async () => {
    const { sessions } = setUp()
    sessions.registered(5 as Block)
    const { counters } = await sessions.current(never)
    expect([counters.next('a'), counters.next('a'), counters.next('b')]).toEqual([1, 2, 1])
  })
})
