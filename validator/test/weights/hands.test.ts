import { burnedRegister } from '@arbor/chain/client/calls'
import type { WeightRow } from '@arbor/chain/client/types'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newMemory, weighOnce } from '../../src/weights/pass.ts'
import {
  alice,
  awaitPermit,
  bob,
  epochBegins,
  type Net,
  netuid,
  owner,
  register,
  stake,
  startNet,
  validator,
} from './net.ts'
import { type Setter, startSetter } from './setter.ts'

/** The subnet of the development preset, with so few uids that a newcomer takes another's. */
const subnet = {
  netuid: 1,
  ownerColdkey: alice.address,
  ownerHotkey: owner.address,
  ...{ tempo: 20, emissionEnabled: true, commitRevealEnabled: false, weightsSetRateLimit: 0, servingRateLimit: 1 },
  ...{
    immunityPeriod: 0,
    maxRegistrationsPerBlock: 16,
    burn: 1_000_000,
    maxAllowedUids: 4,
    activityCutoffFactorMilli: 20_000,
  },
}
let net: Net
let own: Uid
let setter: Setter
let newcomers = 0
const { signal } = new AbortController()

/** Registers a newcomer. @returns the uid that it took */
const replace = async (): Promise<Uid> => {
  newcomers += 1
  const newcomer = keypairFromUri(`//Bob//newcomer${newcomers}`)
  await register(net, [newcomer])
  return net.uidOf(newcomer.address)
}
/** The uids that newcomers take; the validator and the owner keep theirs. */
const others = async (): Promise<readonly Uid[]> =>
  (await net.snapshot()).metagraph.neurons
    .filter(({ hotkey }) => hotkey !== validator.address && hotkey !== owner.address)
    .map(({ uid }) => uid)
const held = (): Promise<WeightRow> => net.client.weights(netuid, own)
const handsOf = (of: Setter) => of.lines.filter(({ event }) => event === 'weights.changed-hands')
const rowOf = async (): Promise<WeightRow> => (await others()).map((uid, index) => [uid, 65_535 - index] as const)
/** A row without a uid, scaled as rows are. */
const without = (row: WeightRow, uid: Uid): WeightRow =>
  row.filter(([to]) => to !== uid).map(([to], index) => [to, 65_535 - index] as const)
/** Has a newcomer registered in the block before the one that takes what is sent next. */
const replaceWhileSending = (): { readonly uid: () => Uid | null } => {
  let uid: Uid | null = null
  net.faults.onRequest = async (method) => {
    if (method !== 'author_submitAndWatchExtrinsic') return
    net.faults.onRequest = () => undefined
    newcomers += 1
    const newcomer = keypairFromUri(`//Bob//newcomer${newcomers}`)
    const sent = net.client.submit(burnedRegister({ netuid, hotkey: newcomer.address }), { signer: bob, signal })
    await net.drive(sent)
    uid = await net.uidOf(newcomer.address)
  }
  return { uid: () => uid }
}

beforeAll(async () => {
  net = await startNet({ patch: { subtensorModule: { subnets: [subnet] } } })
  await register(net, [validator, keypairFromUri('//Bob//a'), keypairFromUri('//Bob//b')])
  await stake(net, validator, 500)
  await awaitPermit(net, validator)
  own = await net.uidOf(validator.address)
})
afterAll(() => net?.close())
beforeEach(() => {
  setter = startSetter(net)
})

describe('C-09 uid that changes hands', () => {
  it('between the final block and sending gets nothing: the row is given up and computed again', async () => {
    const row = await rowOf()
    setter.set(row)
    const snapshot = await net.snapshot()
    const uid = await replace()
    const outcomes = await net.drive(weighOnce(setter.deps, snapshot, newMemory(), signal))
    expect(outcomes).toMatchObject([{ kind: 'superseded', attempt: { state: 'superseded', sent: null } }])
    expect(handsOf(setter)).toMatchObject([{ level: 'warn', uids: [uid] }])
    setter.set(without(row, uid))
    await setter.until('confirmed')
    expect((await held()).some(([to]) => to === uid)).toBe(false)
  })

  it('while the row is on its way is told, and the row is set again at once without it', async () => {
    setter.set(await rowOf())
    const replaced = replaceWhileSending()
    const first = await setter.until('confirmed')
    const uid = replaced.uid() ?? (0 as Uid)
    expect(first).toMatchObject({ attempt: { inherited: [uid] } })
    expect(handsOf(setter)).toMatchObject([{ uids: [uid] }])
    await net.blocks(1)
    setter.set(without(await rowOf(), uid))
    expect(await setter.until('confirmed', 2)).toMatchObject({ attempt: { inherited: [] } })
    expect((await held()).some(([to]) => to === uid)).toBe(false)
  })

  it('on the way of an unchanged row has it set again all the same', async () => {
    const row = await rowOf()
    setter.set(row)
    replaceWhileSending()
    await setter.until('confirmed')
    await net.blocks(1)
    expect(await setter.until('confirmed', 2)).toMatchObject({ attempt: { row } })
    await net.blocks(1)
    expect(await setter.pass()).toMatchObject([{ kind: 'unchanged' }])
  })

  it('between commit and opening is masked by the chain, and told', async () => {
    await net.rule('commit_reveal_weights_enabled', { enabled: true })
    await epochBegins(net)
    const row = await rowOf()
    setter.set(row)
    await setter.until('committed')
    const uid = await replace()
    expect(await setter.until('confirmed')).toMatchObject({ attempt: { row }, masked: [uid] })
    expect(setter.lines.find(({ event }) => event === 'weights.confirmed')).toMatchObject({ masked: [uid] })
    expect(handsOf(setter)).toMatchObject([{ uids: [uid] }])
    expect((await held()).find(([to]) => to === uid)).toEqual([uid, 0])
  })

  it('before the commit, where the chain would not mask it, has another row committed, and the first is never opened', async () => {
    await epochBegins(net)
    setter.set(await rowOf())
    const replaced = replaceWhileSending()
    const first = await setter.until('committed')
    const uid = replaced.uid() ?? (0 as Uid)
    expect(first).toMatchObject({ attempt: { inherited: [uid] } })
    const clean = without(await rowOf(), uid)
    setter.set(clean)
    await net.blocks(1)
    const second = await setter.until('committed', 3) // in the same epoch, though one is pending
    expect(second).toMatchObject({ attempt: { row: clean, inherited: [] } })
    expect(await setter.until('confirmed')).toMatchObject({ attempt: { row: clean } })
    expect(await held()).toEqual(clean)
    const states = setter.ledger.recentAttempts(0, 9).map(({ state }) => state)
    expect(states).toContain('superseded')
    expect(setter.states('attempt' in first ? first.attempt.id : 0)).not.toContain('revealing')
  })
})
