import { commitWeights, revealWeights } from '@arbor/chain/client/calls'
import { rpcError } from '@arbor/chain/client/errors'
import { type SaltedRow, saltedHash, saltedRow } from '@arbor/chain/client/salted'
import type { WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Uid } from '@arbor/shared/units'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { awaitPermit, epochBegins, type Net, netuid, register, stake, startNet, validator } from './net.ts'
import { type Setter, seededBytes, startSetter } from './setter.ts'

const miners = ['a', 'b', 'c', 'd'].map((name) => keypairFromUri(`//Bob//${name}`))
let net: Net
let own: Uid
let uids: readonly Uid[]
let setter: Setter
const row = (weight: number): WeightRow => [
  [uids[0] ?? (0 as Uid), weight],
  [uids[1] ?? (0 as Uid), 65_535],
]
const held = (mechanism = 0): Promise<WeightRow> => net.client.weights(netuid, own, undefined, mechanism)
const events = (...names: string[]) => setter.lines.filter(({ event }) => names.includes(`${event}`))

beforeAll(async () => {
  net = await startNet()
  await register(net, [validator, ...miners])
  await stake(net, validator, 500)
  await awaitPermit(net, validator)
  own = await net.uidOf(validator.address)
  uids = await Promise.all(miners.map(({ address }) => net.uidOf(address)))
  await net.rule('tempo', { tempo: 24 })
  await net.rule('mechanism_count', { mechanism_count: 2 })
  await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 0 })
  await net.rule('commit_reveal_weights_enabled', { enabled: true })
})
afterAll(() => net?.close())
beforeEach(() => {
  setter = startSetter(net)
})

describe('salted commit', () => {
  it('C-08 is opened by the same value that made it, for any row, salt, version key and mechanism', async () => {
    const u16 = fc.integer({ min: 0, max: 65_535 })
    const anyRow = fc
      .uniqueArray(fc.constantFrom(...[own, ...uids]), { minLength: 1 })
      .chain((chosen) =>
        fc.tuple(...chosen.map((uid) => fc.tuple(fc.constant(uid), fc.integer({ min: 1, max: 65_535 })))),
      )
      .map((values) => values.map(([uid, value], index): [Uid, number] => [uid, index === 0 ? 65_535 : value]))
    const any = fc.record({
      row: anyRow,
      salt: fc.array(u16, { minLength: 8, maxLength: 24 }),
      version: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    })
    const cases = fc
      .sample(any, { numRuns: 16, seed: 8 })
      .map((of, index): SaltedRow => saltedRow({ netuid, mechanism: index % 2, hotkey: validator.address, ...of }))
    await epochBegins(net)
    for (const each of cases) expect(await net.submit(commitWeights(each))).toMatchObject({ status: 'finalised' })
    await epochBegins(net)
    for (const each of cases) {
      const { mechanism } = each
      const { commits } = await net.client.pendingCommits({ netuid, mechanism, hotkey: validator.address })
      expect(commits[0]?.sealed).toEqual({ kind: 'salted', hash: saltedHash(each) })
      expect(await net.submit(revealWeights(each))).toMatchObject({ status: 'finalised' })
      expect(await held(mechanism)).toEqual(each.row)
    }
  })

  it('goes to its own mechanism', async () => {
    const second = startSetter(net, { mechanism: 1 })
    second.set(row(21))
    expect(await second.until('confirmed')).toMatchObject({ attempt: { mechanism: 1, method: 'salted' } })
    expect(await held(1)).toEqual(row(21))
  })

  it('whose epoch went by while nobody was there is expired, and another is committed', async () => {
    setter.set(row(31))
    await setter.until('committed')
    const { to = 0 } = setter.ledger.lastAttempt()?.opens ?? {}
    await net.reach(to + 1)
    const again = startSetter(net, { ledger: setter.ledger, seed: 9 })
    again.set(row(31))
    expect(await again.until('expired', 1)).toMatchObject({ attempt: { row: row(31) } })
    expect(await again.until('confirmed')).toMatchObject({ attempt: { row: row(31) } })
  })

  it('keeps its plain row, salt and version until it was read back', async () => {
    setter.set(row(41))
    await setter.until('committed')
    const attempt = setter.ledger.lastAttempt()
    expect(attempt).toMatchObject({
      row: row(41),
      version: 1n,
      salt: expect.any(Array),
      commitHash: expect.any(String),
    })
    expect(JSON.stringify(setter.lines)).not.toContain(JSON.stringify(attempt?.salt)) // nor does it reach the log
    await setter.until('confirmed')
  })

  it('is given up for a row in the open when the subnet turns commit-reveal off', async () => {
    setter.set(row(51))
    await setter.until('committed')
    await net.rule('commit_reveal_weights_enabled', { enabled: false })
    expect(await setter.until('superseded', 2)).toMatchObject({ attempt: { method: 'salted' } })
    expect(await setter.until('confirmed')).toMatchObject({ attempt: { row: row(51), method: 'open' } })
    await net.rule('commit_reveal_weights_enabled', { enabled: true })
  })

  it('tells the log no more than what the chain has opened', async () => {
    expect(setter.ledger.servableEntries(false)).toBeNull()
    // Scores of before the first commit would tell its row.
    expect(setter.ledger.servableEntries(true)).toBe(0)
    setter.set(row(61))
    await setter.until('committed')
    expect(setter.ledger.servableEntries(true)).toBe(0)
    await setter.until('confirmed')
    const first = setter.ledger.servableEntries(true)
    expect(first).toBeGreaterThan(0)
    setter.set(row(62))
    await setter.until('committed')
    expect(setter.ledger.servableEntries(true)).toBe(first)
  })
})

describe('timelocked commit', () => {
  const passUntil = async (kind: string, pulse: () => Promise<void>) => {
    for (let block = 0; block < 120; block += 1) {
      const found = (await setter.pass()).find((outcome) => outcome.kind === kind)
      if (found !== undefined) return found
      await pulse()
    }
    throw new Error(`no ${kind}: ${JSON.stringify(setter.lines.slice(-4))}`)
  }

  it('is preferred where the beacon speaks, opened by the chain, and confirmed by what it then holds', async () => {
    await net.pulse()
    setter.set(row(71))
    await passUntil('confirmed', () => net.pulse())
    expect(await held()).toEqual(row(71))
    const attempt = setter.ledger.recentAttempts(0, 9).find(({ state }) => state === 'confirmed')
    expect(attempt).toMatchObject({ row: row(71), method: 'timelocked', round: expect.any(BigInt) })
    const states = setter.states(attempt?.id)
    expect(states).toEqual(['computed', 'committing', 'committed', 'finalised', 'confirmed'])
    const opened = await net.client.openedIn(
      { netuid, hotkey: validator.address, committedAt: attempt?.committedAt ?? (0 as never) },
      { from: attempt?.committedAt ?? (0 as never), to: net.number() as never },
    )
    expect(opened).toEqual({ kind: 'opened', block: attempt?.includedAt })
  })

  it('C-07 that the chain dropped is found out, told with the chain’s reason, and committed again by a way that needs no beacon', async () => {
    await net.pulse()
    setter.set(row(81))
    await passUntil('committed', () => net.pulse())
    const lost = await passUntil('lost', () => net.pulse({ lose: true }))
    expect(lost).toMatchObject({
      attempt: { row: row(81), method: 'timelocked' },
      why: expect.stringMatching(/NoPulse/),
    })
    expect(await held()).not.toEqual(row(81))
    expect(events('weights.lost')).toMatchObject([{ level: 'warn', row: row(81) }])
    expect(events('weights.confirmed')).toEqual([])
    expect(await passUntil('confirmed', () => net.pulse({ lose: true }))).toMatchObject({
      attempt: { row: row(81), method: 'salted' },
    })
    expect(await held()).toEqual(row(81))
  })

  it('that the chain dropped while nobody looked is not taken for set because the row before it was the same', async () => {
    await net.pulse()
    setter.set(row(91))
    await passUntil('confirmed', () => net.pulse())
    const again = await passUntil('committed', () => net.pulse())
    expect(again).toMatchObject({ attempt: { row: row(91), method: 'timelocked' } })
    for (let block = 0; block < 110; block += 1) await net.pulse({ lose: true })
    expect(await held()).toEqual(row(91))
    expect((await setter.pass()).at(-1)).toMatchObject({ kind: 'lost', why: expect.stringMatching(/NoPulse/) })
  })

  it('of which no block tells is committed again, where the row before it was the same', async () => {
    await net.pulse()
    setter.set(row(93))
    await passUntil('confirmed', () => net.pulse())
    await passUntil('committed', () => net.pulse())
    for (let block = 0; block < 60; block += 1) await net.pulse({ lose: true })
    const chain = { ...net.client, openedIn: () => Promise.reject(rpcError('state_queryStorageAt', { code: 4003 })) }
    Object.assign(setter.deps, { chain })
    expect((await setter.pass()).at(-1)).toMatchObject({ kind: 'lost', why: expect.stringMatching(/^no block tells/) })
  })

  it('that the chain opened while nobody looked is set, though the row before it was the same', async () => {
    await net.pulse()
    setter.set(row(92))
    await passUntil('confirmed', () => net.pulse())
    const again = await passUntil('committed', () => net.pulse())
    expect(again).toMatchObject({ attempt: { row: row(92), method: 'timelocked' } })
    for (let block = 0; block < 110; block += 1) await net.pulse()
    expect((await setter.pass()).at(-1)).toMatchObject({ kind: 'confirmed', attempt: { row: row(92) } })
  })

  it('is a salted one where its seal has more bytes than the chain takes, and no crash', async () => {
    await net.pulse()
    setter.set(row(85))
    await passUntil('confirmed', () => net.pulse()) // whatever came before, the last one went well
    const { sealWeights } = net.client
    const tooLarge = new SubnetError({
      code: 'WEIGHTS_TOO_LARGE',
      message: '4096 weights make a commit of 16592 bytes',
    })
    net.client.sealWeights = () => Promise.reject(tooLarge)
    setter.set(row(86))
    const failed = await passUntil('failed', () => net.pulse())
    expect(failed).toMatchObject({ refusal: { kind: 'too-large', cure: 'anew' }, attempt: { sent: null } })
    net.client.sealWeights = sealWeights
    for (let block = 0; (await held())[0]?.[1] !== 86; block += 1) {
      if (block > 100) throw new Error('it was never set')
      await setter.pass()
      await net.pulse()
    }
    const by86 = setter.ledger.recentAttempts(0, 9).filter(({ row: [first] }) => first?.[1] === 86)
    expect(by86.map(({ method }) => method)).toContain('salted')
  })

  it('is a salted one where the beacon has been silent for long', async () => {
    await net.blocks(60) // a second each, without a pulse
    setter.set(row(91))
    expect(await setter.until('committed')).toMatchObject({ attempt: { method: 'salted' } })
    expect(seededBytes(1)(4)).toEqual(seededBytes(1)(4))
  })
})
