import type { WeightRow } from '@arbor/chain/client/types'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ledger } from '../../src/ledger.ts'
import { WEIGHT_TRANSITIONS, type WeightState } from '../../src/weights/machine.ts'
import { awaitPermit, type Net, netuid, register, stake, startNet, validator } from './net.ts'
import { startSetter } from './setter.ts'

const miner = keypairFromUri('//Bob//miner')
let net: Net
let uids: { validator: Uid; miner: Uid }
let weight = 0
/** A row that no test had before. */
const newRow = (): WeightRow => {
  weight += 1
  return [
    [uids.validator, weight],
    [uids.miner, 65_535],
  ]
}
const held = (): Promise<WeightRow> => net.client.weights(netuid, uids.validator)

class Killed extends Error {}

/** A ledger whose process is killed at the first move to a state: before it is written, or right after. */
const killedAt = (ledger: Ledger, state: WeightState, when: 'before' | 'after'): Ledger => {
  let dead = false
  const die = (): never => {
    dead = true
    throw new Killed()
  }
  return new Proxy(ledger, {
    get: (target, name: keyof Ledger) => {
      const method = target[name] as (...args: unknown[]) => unknown
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => {
        if (dead) throw new Killed() // a dead process writes nothing
        const moves = name === 'moveAttempt' && (args[1] as { readonly state: WeightState }).state === state
        const opens = name === 'openAttempt' && state === 'computed'
        if ((moves || opens) && when === 'before') die()
        const result = method.apply(target, args)
        if (moves || (opens && result !== null)) die()
        return result
      }
    },
  })
}

beforeAll(async () => {
  net = await startNet()
  await register(net, [validator, miner])
  await stake(net, validator, 500)
  await awaitPermit(net, validator)
  uids = { validator: await net.uidOf(validator.address), miner: await net.uidOf(miner.address) }
})
afterAll(() => net?.close())

const paths: Readonly<Record<string, readonly WeightState[]>> = {
  open: ['computed', 'setting', 'included', 'finalised', 'confirmed'],
  salted: ['computed', 'committing', 'committed', 'revealing', 'included', 'finalised', 'confirmed'],
  timelocked: ['computed', 'committing', 'committed', 'finalised', 'confirmed'],
}

/** States after whose note bytes leave. */
const LEAVING: ReadonlySet<WeightState> = new Set(['computed', 'setting', 'committing', 'revealing'])

describe.each(Object.entries(paths))('process with an %s row', (method, states) => {
  beforeAll(async () => {
    await net.rule('commit_reveal_weights_enabled', { enabled: method !== 'open' })
    if (method === 'timelocked') await net.pulse()
  })
  // Right after a note is right before the next one, but where something leaves in between.
  const cases = states.flatMap((state) => [
    ['before', state] as const,
    ...(LEAVING.has(state) ? [['after', state] as const] : []),
  ])

  it.each(cases)('C-03 that is killed right %s it notes "%s" goes on by what the chain says', async (when, state) => {
    const first = startSetter(net)
    const { ledger } = first
    const row = newRow()
    const doomed = startSetter(net, { ledger: killedAt(ledger, state, when) })
    doomed.set(row)
    const died = async (): Promise<boolean> => {
      try {
        await doomed.pass()
        return false
      } catch (error) {
        if (error instanceof Killed) return true
        throw error
      }
    }
    for (let block = 0; !(await died()); block += 1) {
      if (block > 60) throw new Error('it was never killed')
      if (method === 'timelocked') await net.pulse()
      else await net.blocks(1)
    }
    // What the ledger says now must be true already: nothing is called set that the chain does not hold.
    const left = ledger.lastAttempt()
    if (left?.state === 'finalised' || left?.state === 'confirmed') expect(await held()).toEqual(row)

    const again = startSetter(net, { ledger, seed: 11 })
    again.set(row)
    for (let block = 0; block < 80; block += 1) {
      await again.pass()
      if (ledger.recentAttempts(0, 3).some((each) => each.state === 'confirmed')) break
      if (method === 'timelocked') await net.pulse()
      else await net.blocks(1)
    }
    expect(await held()).toEqual(row)
    const attempts = ledger.recentAttempts(0, 10)
    const confirmed = attempts.filter((each) => each.state === 'confirmed')
    expect(confirmed.map((each) => each.row)).toEqual([row])
    // It is sent once where the chain had it, and anew only where nothing had left: by the blocks, never by hope.
    // After a tempo an unchanged row is committed again, which says nothing of the kill.
    const sent = attempts.filter((each) => each.sent !== null && each.state !== 'committed')
    const neverLeft = when === 'after' && (state === 'setting' || state === 'committing')
    expect(sent.map((each) => each.state)).toEqual(neverLeft ? ['confirmed', 'lost'] : ['confirmed'])
    expect(attempts.filter((each) => each.sent === null).every((each) => each.state === 'superseded')).toBe(true)
    for (const { id } of attempts) {
      const moves = ledger.attemptMoves(id).map((each) => each.state)
      for (const [index, to] of moves.slice(1).entries())
        expect(WEIGHT_TRANSITIONS[moves[index] ?? 'computed']).toContain(to)
    }
  })
})
