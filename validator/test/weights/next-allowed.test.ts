import { commitWeights, revealWeights, setMechanismWeights, setWeights, sudo } from '@arbor/chain/client/calls'
import type { PendingCommit } from '@arbor/chain/client/commits'
import { storageItem, storageKey } from '@arbor/chain/client/runtime'
import { type SaltedRow, saltedHash, saltedRow } from '@arbor/chain/client/salted'
import type { Submission, WeightRow } from '@arbor/chain/client/types'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFacts } from '../../src/weights/facts.ts'
import { type ChainRule, nextAllowed, type WeightStep } from '../../src/weights/next-allowed.ts'
import { alice, epochBegins, type Net, netuid, owner, register, stake, startNet, validator } from './net.ts'
import { seededBytes } from './setter.ts'

const miner = keypairFromUri('//Bob//miner')
const poor = keypairFromUri('//Bob//poor')
const nobody = keypairFromUri('//Bob//nobody')
const VERSION = 3n
let net: Net
let uids: { validator: Uid; miner: Uid; poor: Uid }
/** Rules that some case has shown to hold, against the chain's own word. */
const shown = new Set<ChainRule | 'allowed'>()

const factsOf = async (hotkey: Keypair, mechanism = 0) =>
  readFacts({ chain: net.client, netuid, mechanism, hotkey }, await net.snapshot(hotkey.address))
const nameOf = (submission: Submission): string | null => ('error' in submission ? submission.error : null)

/** Asks nextAllowed and then the chain in the very next block; both must say the same. */
async function compare(step: WeightStep & { row: WeightRow }, signer: Keypair = validator, mechanism = 0) {
  const facts = await factsOf(signer, mechanism)
  const next = nextAllowed(facts, step)
  const { row } = step
  const call =
    step.kind === 'set'
      ? mechanism === 0
        ? setWeights({ netuid, row, version: step.version })
        : setMechanismWeights({ netuid, mechanism, row, version: step.version })
      : commitWeights(sealed(signer, row, step.version, mechanism))
  const said = nameOf(await net.submit(call, signer))
  shown.add(next.allowed ? 'allowed' : next.rule)
  if (next.allowed || next.when === 'opening') expect(said).toBeNull()
  else expect([next.rule, said]).toEqual([next.rule, next.refusal])
  return next
}
const sealed = (signer: Keypair, row: WeightRow, version = VERSION, mechanism = 0): SaltedRow =>
  saltedRow({ netuid, mechanism, hotkey: signer.address, row, salt: [1, 2, 3, 4, 5, 6, 7, 8], version })
const set = (row: WeightRow, version = VERSION) => ({ kind: 'set', method: 'open', version, row }) as const
const commit = (row: WeightRow, version = VERSION) => ({ kind: 'commit', method: 'salted', version, row }) as const
const full = (): WeightRow => [
  [uids.miner, 65_535],
  [uids.poor, 40_000],
]
/** Leaves no rate limit and no pause in the way. */
const rest = (): Promise<void> => net.blocks(6)

beforeAll(async () => {
  net = await startNet()
  await net.rule('tempo', { tempo: 40 })
  await register(net, [validator, miner, poor])
  await stake(net, validator, 500)
  uids = {
    validator: await net.uidOf(validator.address),
    miner: await net.uidOf(miner.address),
    poor: await net.uidOf(poor.address),
  }
})
afterAll(() => net?.close())

describe('nextAllowed says what the chain says in the next block', () => {
  it('C-04 of a hotkey without a permit, and when epochs give one', async () => {
    const next = await compare(set(full()))
    expect(next).toMatchObject({ rule: 'permit', at: expect.any(Number) })
    const at = next.allowed ? 0 : (next.at ?? 0)
    await net.reach(at - 1)
    expect((await net.snapshot()).me?.validatorPermit).toBe(false)
    await net.reach(at)
    await rest() // the refusal cost a pause
    expect((await net.snapshot()).me?.validatorPermit).toBe(true)
    expect(await compare(set(full()))).toEqual({ allowed: true })
  })

  it('C-04 of the rate limit, block by block, in the open and for commits', async () => {
    await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 6 })
    await net.blocks(8)
    expect(await compare(set(full()))).toEqual({ allowed: true })
    for (const kind of [set(full()), commit(full())]) {
      const facts = await factsOf(validator)
      const next = nextAllowed(facts, kind)
      expect(next).toMatchObject({ rule: 'rate-limit', at: (facts.rules.lastUpdate ?? 0) + 6 })
    }
    const last = (await factsOf(validator)).rules.lastUpdate ?? 0
    // The pool refuses up to the block before, and takes it for the very block that was named.
    while (net.number() + 1 < last + 6) {
      expect(await compare(set(full()))).toMatchObject({ rule: 'rate-limit', at: last + 6 })
      await net.blocks(1)
    }
    expect(await compare(set(full()))).toEqual({ allowed: true })
    await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 0 })
  })

  it('of the second row for one block where the rate limit is 0', async () => {
    await rest()
    expect(await compare(set(full()))).toEqual({ allowed: true })
    expect(await compare(set(full()))).toEqual({ allowed: true })
  })

  it('of a hotkey that is not registered, or has too little stake', async () => {
    expect(await compare(set(full()), nobody)).toMatchObject({ rule: 'registered', todo: 'arbor register --netuid 1' })
    const threshold = ((await net.snapshot()).me?.totalStake ?? 0n) / 2n
    await net.mustSubmit(
      sudo({ pallet: 'AdminUtils', call: 'sudo_set_stake_threshold', args: { min_stake: threshold } }),
      alice,
    )
    for (const step of [set(full()), commit(full())])
      expect(await compare(step, poor)).toMatchObject({ rule: 'stake', refusal: 'InvalidTransaction.StakeTooLow' })
    expect(await compare(set(full()), owner)).toEqual({ allowed: true }) // exempt
  })

  it('of the version key', async () => {
    await rest()
    await net.rule('weights_version_key', { weights_version_key: 4 })
    expect(await compare(set(full()))).toMatchObject({
      rule: 'version',
      refusal: 'SubtensorModule.IncorrectWeightVersionKey',
    })
    expect(await compare(set(full(), 4n))).toMatchObject({ rule: 'pause' }) // what failed costs five blocks
    await rest()
    expect(await compare(set(full(), 4n))).toEqual({ allowed: true })
    await net.rule('weights_version_key', { weights_version_key: 0 })
  })

  it('of a pause after a failed call, block by block', async () => {
    await rest()
    await net.rule('min_allowed_weights', { min_allowed_weights: 3 })
    await rest()
    expect(await compare(set(full()))).toMatchObject({
      rule: 'row-length',
      refusal: 'SubtensorModule.WeightVecLengthIsLow',
    })
    const failed = net.number()
    while (net.number() + 1 < failed + 5) {
      expect(await compare(set(full()))).toMatchObject({ rule: 'pause', at: failed + 5 })
      await net.blocks(1)
    }
    expect(await compare(set([[uids.validator, 65_535]]))).toEqual({ allowed: true }) // a row of itself is exempt
    await net.rule('min_allowed_weights', { min_allowed_weights: 1 })
  })

  it('of a row in which one has too much', async () => {
    await rest()
    const limit = Math.floor(65_535 * 0.6)
    await limitShares(limit)
    await rest()
    expect(await compare(set(full()))).toMatchObject({
      rule: 'row-share',
      refusal: 'SubtensorModule.MaxWeightExceeded',
    })
    await rest()
    const even: WeightRow = [
      [uids.miner, 65_535],
      [uids.poor, 65_535],
    ]
    expect(await compare(set(even))).toEqual({ allowed: true })
    await limitShares(65_535)
  })

  it('of a mechanism that is not there, and of each one’s own rate limit', async () => {
    await rest()
    expect(await compare(set(full()), validator, 1)).toMatchObject({ rule: 'mechanism' })
    await rest()
    await net.rule('mechanism_count', { mechanism_count: 2 })
    await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 50 })
    expect(await compare(set(full()))).toMatchObject({ rule: 'rate-limit' })
    expect(await compare(set(full()), validator, 1)).toEqual({ allowed: true })
    expect(await net.client.weights(netuid, uids.validator, undefined, 1)).toEqual(full())
    await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 0 })
  })

  it('of commits and their openings, window by window, until as many wait as may', async () => {
    await rest()
    expect(await compare(commit(full()))).toMatchObject({
      rule: 'commit-reveal',
      refusal: 'SubtensorModule.CommitRevealDisabled',
    })
    await rest()
    await net.rule('commit_reveal_weights_enabled', { enabled: true })
    expect(await compare(set(full()))).toMatchObject({
      rule: 'commit-reveal',
      refusal: 'SubtensorModule.CommitRevealEnabled',
    })
    await rest()
    await net.rule('tempo', { tempo: 40 })
    await epochBegins(net)
    const rows = Array.from(
      { length: 10 },
      (_, index): WeightRow => [
        [uids.miner, 65_535],
        [uids.poor, 1 + index],
      ],
    )
    for (const row of rows) expect(await compare(commit(row))).toEqual({ allowed: true })
    expect(await compare(commit(full()))).toMatchObject({
      rule: 'commits-full',
      refusal: 'SubtensorModule.TooManyUnrevealedCommits',
    })
    await rest()
    const [first = [], last = []] = [rows[0], rows[9]]
    const early = await compareReveal(first)
    expect(early).toMatchObject({ rule: 'reveal-window', at: expect.any(Number) })
    const from = early.allowed ? 0 : (early.at ?? 0)
    await net.reach(from - 2)
    expect(await compareReveal(first)).toMatchObject({ rule: 'reveal-window', at: from }) // the block before the window
    await net.reach(from + 5)
    expect(await compareReveal(first)).toEqual({ allowed: true })
    expect(await net.client.weights(netuid, uids.validator)).toEqual(first)
    await net.reach(from + 39)
    expect(await compareReveal(last)).toMatchObject({
      rule: 'reveal-expired',
      refusal: 'SubtensorModule.ExpiredWeightCommit',
    })
  })

  it('of a commit whose opening a rule stands against', async () => {
    await rest()
    await epochBegins(net)
    await net.rule('weights_version_key', { weights_version_key: 9 })
    expect(await compare(commit(full()))).toMatchObject({ rule: 'version', when: 'opening' })
    const { commits } = await factsOf(validator)
    await net.reach((commits.at(-1)?.window?.from ?? 0) + 1)
    expect(await compareReveal(full())).toMatchObject({
      rule: 'version',
      refusal: 'SubtensorModule.IncorrectWeightVersionKey',
    })
    await net.rule('weights_version_key', { weights_version_key: 0 })
    await net.rule('tempo', { tempo: 0 })
    await rest()
    expect(await compare(commit(full()))).toMatchObject({ rule: 'no-epochs', when: 'opening', at: null })
    await net.blocks(60)
    expect((await factsOf(validator)).commits.at(-1)).toMatchObject({ window: null, status: 'waiting' })
  })

  it('tells until when the owner cannot change a rule before an epoch', async () => {
    await net.mustSubmit(sudo(freeze(5)), alice)
    await net.rule('tempo', { tempo: 20 })
    await net.rule('weights_version_key', { weights_version_key: 9 })
    await net.rule('commit_reveal_weights_enabled', { enabled: false })
    await epochBegins(net)
    const { schedule } = (await factsOf(validator)).clock
    const epoch = schedule.lastEpochBlock + 20
    const asOwner = () =>
      net.submit(
        { pallet: 'AdminUtils', call: 'sudo_set_min_allowed_weights', args: { netuid, min_allowed_weights: 1 } },
        alice,
      )
    expect(nextAllowed(await factsOf(validator), set(full()))).toMatchObject({ rule: 'version', frozenUntil: null })
    expect(nameOf(await asOwner())).toBeNull()
    await net.reach(epoch - 5)
    expect(nextAllowed(await factsOf(validator), set(full()))).toMatchObject({ rule: 'version', frozenUntil: epoch })
    expect(nameOf(await asOwner())).toBe('SubtensorModule.AdminActionProhibitedDuringWeightsWindow')
  })

  it('on a walk of seeded calls over seeded rules, whatever came before', async () => {
    await net.mustSubmit(sudo(freeze(0)), alice)
    await net.rule('mechanism_count', { mechanism_count: 1 })
    const byte = seededBytes(20_261_121)
    const draw = <T>(...of: readonly T[]): T => of[(byte(1)[0] ?? 0) % of.length] as T
    const said = { allowed: 0, forbidden: 0 }
    for (let turn = 0; turn < 40; turn += 1) {
      const change = draw(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
      if (change === 0) await net.rule('commit_reveal_weights_enabled', { enabled: draw(true, false) })
      if (change === 1) await net.rule('weights_set_rate_limit', { weights_set_rate_limit: draw(0, 1, 3, 9) })
      if (change === 2) await net.rule('weights_version_key', { weights_version_key: draw(0, 3, 4) })
      if (change === 3) await net.rule('min_allowed_weights', { min_allowed_weights: draw(1, 2, 3) })
      if (change > 3) await net.blocks(draw(1, 6, 6, 20))
      const hotkey = draw(...Array.from({ length: 8 }, () => validator), poor, nobody)
      const row = draw<WeightRow>(full(), [[uids.miner, 65_535]], [[uids.validator, 65_535]])
      // The block that gives permits may give one to whoever has none: nobody knows before.
      const { clock } = await factsOf(hotkey)
      if (clock.schedule.lastEpochBlock + clock.schedule.tempo <= net.number() + 1) await net.blocks(1)
      const isOpen = draw(true, true, true, false) !== clock.enabled
      const version = draw(3n, 4n, 4n, 4n)
      const next = await compare(isOpen ? set(row, version) : commit(row, version), hotkey)
      said[next.allowed ? 'allowed' : 'forbidden'] += 1
    }
    expect(said.allowed).toBeGreaterThan(5)
    expect(said.forbidden).toBeGreaterThan(5)
  })

  it('covers every rule', () => {
    const all: Record<ChainRule, true> = {
      ...{ registered: true, pause: true, stake: true, 'rate-limit': true, 'commit-reveal': true, mechanism: true },
      ...{ 'commits-full': true, 'reveal-expired': true, 'reveal-window': true, 'no-epochs': true },
      ...{ version: true, permit: true, 'row-length': true, 'row-share': true },
    }
    const missing = Object.keys(all).filter((rule) => !shown.has(rule as ChainRule))
    expect(missing).toEqual([])
  })
})

/** Sets the blocks before an epoch in which owners can change nothing. */
const freeze = (window: number) => ({ pallet: 'AdminUtils', call: 'sudo_set_admin_freeze_window', args: { window } })

/** Compares for the opening of a commit. */
async function compareReveal(row: WeightRow) {
  const facts = await factsOf(validator)
  const hash = saltedHash(sealed(validator, row))
  const found = facts.commits.find(
    (each): each is PendingCommit => each.sealed.kind === 'salted' && each.sealed.hash === hash,
  )
  if (found === undefined) throw new Error('no such commit')
  const next = nextAllowed(facts, { kind: 'reveal', commit: found, version: VERSION, row })
  const said = nameOf(await net.submit(revealWeights(sealed(validator, row))))
  shown.add(next.allowed ? 'allowed' : next.rule)
  expect(said).toBe(next.allowed ? null : next.refusal)
  if (!next.allowed) await rest()
  return next
}

/** No call sets this rule, so root writes it. */
const limitShares = (share: number): Promise<unknown> => {
  const item = storageItem(net.reader.runtime(), 'SubtensorModule', 'MaxWeightsLimit')
  const items = [[storageKey(item, [netuid]), `0x${Buffer.from([share & 255, share >> 8]).toString('hex')}`]]
  return net.mustSubmit(sudo({ pallet: 'System', call: 'set_storage', args: { items } }), alice)
}
