import { randomBytes } from 'node:crypto'
import { fromHex } from '@arbor/shared/hex'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Signer } from '@arbor/shared/signer'
import type { Block } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { openServeSessions } from '../src/sessions.ts'
import { genesisHash, miner, netuid } from './net.ts'

const HOUR = 3_600_000
const start = async () => {
  const clock = createManualClock()
  const state = { signed: 0, away: false }
  const signer: Signer = {
    ...miner,
    sign: async (message) => {
      if (state.away) throw new Error('the signer is away')
      state.signed += 1
      return miner.sign(message)
    },
  }
  const sessions = await openServeSessions({
    signer,
    clock,
    log: createLogger({ name: 'miner', level: 'silent' }),
    genesisHash: fromHex(genesisHash),
    netuid,
    registeredAt: 1 as Block,
    randomBytes: (length) => randomBytes(length),
  })
  const stop = new AbortController()
  const renewing = sessions.renew(stop.signal)
  const close = async () => {
    stop.abort(new Error('stop'))
    await expect(renewing).rejects.toThrow('stop')
  }
  return { clock, state, sessions, close, key: () => sessions.current()?.certificate.key ?? 'none' }
}

describe("miner's sessions", () => {
  test('are renewed at half their life, and the one before serves until it expires', async () => {
    const { clock, state, sessions, close, key } = await start()
    const first = key()
    await clock.advance(HOUR / 2 - 1)
    expect([key(), state.signed]).toEqual([first, 1])
    await clock.advance(1)
    const second = key()
    expect([second === first, state.signed]).toEqual([false, 2])
    expect(sessions.find(first)?.certificate.key).toBe(first)
    await clock.advance(HOUR / 2)
    expect([sessions.find(first), sessions.find(second)?.certificate.key]).toEqual([null, second])
    expect(sessions.current()?.certificate).toMatchObject({ purpose: 'serve', audience: null, registeredAt: 1 })
    await close()
  })

  test('are renewed when the registration is another', async () => {
    const { clock, sessions, close, key } = await start()
    const first = key()
    sessions.registered(1 as Block)
    await clock.advance(1)
    expect(key()).toBe(first)
    sessions.registered(7 as Block)
    await clock.advance(1)
    expect(sessions.current()?.certificate.registeredAt).toBe(7)
    expect(sessions.find(first)).not.toBeNull()
    await close()
  })

  test('live on while the signer is away, end when it stays away, and come back with it', async () => {
    const { clock, state, close, key } = await start()
    const first = key()
    state.away = true
    await clock.advance(HOUR - 1)
    expect(key()).toBe(first)
    await clock.advance(1)
    expect(key()).toBe('none')
    state.away = false
    await clock.advance(5_000)
    expect([key() === 'none', state.signed]).toEqual([false, 2])
    await close()
  })

  test('tell of each renewal', async () => {
    const { clock, sessions, close } = await start()
    const stop = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const { certificate } of sessions.renewals(stop.signal)) seen.push(certificate.key)
    })()
    await clock.advance(HOUR)
    expect([seen.length, seen.at(-1)]).toEqual([2, sessions.current()?.certificate.key])
    stop.abort()
    await watching
    await close()
  })
})
