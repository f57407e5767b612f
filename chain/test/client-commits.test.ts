import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Uid } from '@arbor/shared/units'
import { compactToU8a } from '@polkadot/util'
import { describe, expect, it } from 'vitest'
import { explainCommitRefusal } from '../src/client/commit-refusals.ts'
import {
  type PendingCommits,
  readCommitReveal,
  readPendingCommits,
  readTimelockedRounds,
} from '../src/client/commits.ts'
import { errorNeeds } from '../src/client/needs/others.ts'
import { checkRevealed } from '../src/client/revealed.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'
import { blake, keyOf, le, readerOf, twox } from './support/reader.ts'

const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const netuid = 7 as NetUid
const at: Hex = `0x${'00'.repeat(32)}`
const list = (...items: Uint8Array[]): Uint8Array => Buffer.concat([compactToU8a(items.length), ...items])

interface Clock {
  readonly block: number
  readonly lastEpoch?: number
  readonly epoch?: number
  readonly pendingAt?: number
  readonly tempo?: number
  readonly period?: number
}

/** The state of a subnet whose epoch 5 began at block 100, with commits as given. */
function stateOf({ lastEpoch = 100, epoch = 5, pendingAt = 0, tempo = 10, period = 1, block }: Clock) {
  const state = new Map<Hex, Hex>()
  const put = (name: string, value: Uint8Array, ...keys: Uint8Array[]): void =>
    void state.set(keyOf(name, ...keys), toHex(value))
  const own = (name: string, value: Uint8Array): void => put(`SubtensorModule.${name}`, value, le(netuid, 2))
  own('CommitRevealWeightsEnabled', Uint8Array.of(1))
  put('SubtensorModule.RevealPeriodEpochs', le(period, 8), twox(le(netuid, 2)))
  own('SubnetEpochIndex', le(epoch, 8))
  own('LastEpochBlock', le(lastEpoch, 8))
  own('PendingEpochAt', le(pendingAt, 8))
  own('Tempo', le(tempo, 2))
  own('BlocksSinceLastStep', le(block - lastEpoch, 8))
  own('WeightsSetRateLimit', le(20, 8))
  put('Drand.LastStoredRound', le(999, 8))
  put('Timestamp.Now', le(1_700_000_000_000, 8))
  const salted = (
    index: number,
    publicKey: Uint8Array,
    ...commits: (readonly [epoch: number, block: number])[]
  ): void =>
    put(
      'SubtensorModule.WeightCommits',
      list(...commits.map(([e, b]) => Buffer.concat([new Uint8Array(32).fill(b), le(e, 8), le(b, 8), le(0, 8)]))),
      twox(le(index, 2)),
      twox(publicKey),
    )
  const timelocked = (index: number, e: number, ...rows: (readonly [Uint8Array, number, number])[]): void =>
    put(
      'SubtensorModule.TimelockedWeightCommits',
      list(...rows.map(([key, b, round]) => Buffer.concat([key, le(b, 8), list(Uint8Array.of(1)), le(round, 8)]))),
      twox(le(index, 2)),
      twox(le(e, 8)),
    )
  return { state, put, own, salted, timelocked, block: { number: block as Block, hash: at } }
}

describe.runIf(fixtures.some(({ spec }) => spec === 424))('pending commits on metadata 424', () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
  const windows = async (clock: Clock, commitEpoch: number) => {
    const { state, salted, block } = stateOf(clock)
    salted(netuid, alice.publicKey, [commitEpoch, 104])
    const found = await readPendingCommits(readerOf(runtime, state), { netuid, mechanism: 0 }, block)
    return found.commits.map(({ window, status }) => [status, window?.from ?? null, window?.to ?? null])
  }

  it.each([
    ['waits for the next epoch', { block: 105 }, 5, ['waiting', 110, 119]],
    ['is open in the epoch after its own', { block: 105 }, 4, ['open', 100, 109]],
    ['is expired after that', { block: 105 }, 3, ['expired', null, null]],
    ['waits longer where the period is longer', { block: 105, period: 3 }, 5, ['waiting', 130, 139]],
    ['follows an epoch that was asked for earlier', { block: 105, pendingAt: 107 }, 5, ['waiting', 107, 116]],
    ['counts a deferred epoch as begun', { block: 110, pendingAt: 111 }, 6, ['waiting', 121, 130]],
    ['is open through a deferred epoch', { block: 110, pendingAt: 111 }, 5, ['open', 111, 120]],
    ['has no window where the subnet stands still', { block: 105, tempo: 0 }, 5, ['waiting', null, null]],
  ] as const)('commit %s', async (_, clock, epoch, expected) => {
    expect(await windows(clock, epoch)).toEqual([expected])
  })

  it('are those of one hotkey or of all, in both kinds and by mechanism, oldest first', async () => {
    const { state, salted, timelocked, block } = stateOf({ block: 105 })
    salted(netuid, alice.publicKey, [5, 103], [5, 101])
    salted(4096 + netuid, alice.publicKey, [5, 90])
    timelocked(netuid, 5, [bob.publicKey, 102, 1_005], [alice.publicKey, 104, 1_006])
    timelocked(4096 + netuid, 5, [bob.publicKey, 91, 1_007])
    const reader = readerOf(runtime, state)
    const all = await readPendingCommits(reader, { netuid, mechanism: 0 }, block)
    expect(all.commits.map((commit) => [commit.block, commit.hotkey === alice.address, commit.sealed.kind])).toEqual([
      [101, true, 'salted'],
      [102, false, 'timelocked'],
      [103, true, 'salted'],
      [104, true, 'timelocked'],
    ])
    expect(all.commits[1]?.sealed).toEqual({ kind: 'timelocked', ciphertext: '0x01', round: 1_005n })
    expect(all.state).toMatchObject({ enabled: true, epoch: 5, revealPeriod: 1, rateLimit: 20, lastStoredRound: 999n })
    const own = await readPendingCommits(reader, { netuid, mechanism: 0, hotkey: bob.address }, block)
    expect(own.commits.map((commit) => commit.block)).toEqual([102])
    const second = await readPendingCommits(reader, { netuid, mechanism: 1 }, block)
    expect(second.commits.map((commit) => commit.block)).toEqual([90, 91])
    state.set(keyOf('SubtensorModule.MechanismCountCurrent', twox(le(netuid, 2))), '0x02')
    expect((await readTimelockedRounds(reader, netuid, at)).sort()).toEqual([1_005n, 1_006n, 1_007n])
  })
})

describe.runIf(fixtures.some(({ spec }) => spec === 343))('commit-reveal on metadata 343', () => {
  it('epochs are counted by the legacy schedule', async () => {
    const runtime = runtimeOf('subtensor-spec343.v15.scale.gz', 343)
    const { state, block } = stateOf({ block: 1_000, tempo: 360 })
    const found = await readCommitReveal(readerOf(runtime, state), netuid, block)
    // An epoch begins where (block + netuid + 1) % (tempo + 1) = 0: at 714, then at 1 075.
    expect(found).toMatchObject({ epoch: 2, schedule: { lastEpochBlock: 714, tempo: 361 }, version: 4 })
  })
})

describe.runIf(fixtures.some(({ spec }) => spec === 424))('what was revealed', () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
  const row = [
    [0 as Uid, 65_535],
    [1 as Uid, 300],
  ] as const
  const found = (stored: readonly (readonly [number, number])[], registered: readonly number[]) => {
    const { state, put } = stateOf({ block: 120 })
    put('SubtensorModule.Uids', le(3, 2), le(netuid, 2), blake(alice.publicKey))
    put(
      'SubtensorModule.Weights',
      list(...stored.map(([uid, value]) => Buffer.concat([le(uid, 2), le(value, 2)]))),
      le(netuid, 2),
      le(3, 2),
    )
    registered.forEach((block, uid) => {
      put('SubtensorModule.BlockAtRegistration', le(block, 8), le(netuid, 2), le(uid, 2))
    })
    const commit = { netuid, mechanism: 0, hotkey: alice.address, row, committedAt: 104 as Block }
    return checkRevealed(readerOf(runtime, state), commit, at)
  }

  it('is what was sealed', async () => {
    expect(await found(row, [1, 2])).toEqual({ kind: 'revealed', changedHands: [] })
  })
  it('names the uid that another took since the commit, which gets nothing', async () => {
    expect(
      await found(
        [
          [0, 65_535],
          [1, 0],
        ],
        [1, 104],
      ),
    ).toEqual({ kind: 'revealed', changedHands: [1] })
  })
  it('is told from a row of before, a lost one, and one whose weights were inherited wrongly', async () => {
    expect(await found([], [1, 2])).toMatchObject({ kind: 'other', found: [] })
    expect(
      await found(
        [
          [0, 65_535],
          [1, 301],
        ],
        [1, 2],
      ),
    ).toMatchObject({ kind: 'other' })
    expect(
      await found(
        [
          [0, 65_535],
          [1, 0],
        ],
        [1, 2],
      ),
    ).toMatchObject({ kind: 'other', changedHands: [] })
  })
})

describe('refusal of a commit or reveal', () => {
  const hash: Hex = `0x${'ab'.repeat(32)}`
  const now: PendingCommits = {
    block: { number: 105 as Block, hash: at },
    state: {
      enabled: true,
      revealPeriod: 1,
      epoch: 5,
      epochDue: false,
      schedule: {} as PendingCommits['state']['schedule'],
      version: 4,
      rateLimit: 20 as PendingCommits['state']['rateLimit'],
      lastStoredRound: 999n,
      now: 0 as PendingCommits['state']['now'],
    },
    commits: [
      {
        hotkey: alice.address,
        block: 101 as Block,
        epoch: 5,
        sealed: { kind: 'salted', hash },
        window: { from: 110 as Block, to: 119 as Block },
        status: 'waiting',
      },
    ],
  }
  const told = (error: string) => explainCommitRefusal(`SubtensorModule.${error}`, { netuid, hash, round: 990n }, now)

  it.each([
    ['RevealTooEarly', 'WEIGHTS_REVEAL_TOO_EARLY', /from block 110 to 119, now is 105/],
    ['ExpiredWeightCommit', 'WEIGHTS_COMMIT_EXPIRED', /commit the row again/],
    ['NoWeightsCommitFound', 'WEIGHTS_NO_COMMIT', /no open commit at block 105/],
    ['InvalidRevealCommitHashNotMatch', 'WEIGHTS_REVEAL_MISMATCH', /0xabab/],
    ['TooManyUnrevealedCommits', 'WEIGHTS_COMMITS_FULL', /1 commits/],
    ['CommitRevealDisabled', 'WEIGHTS_COMMIT_REVEAL_OFF', /subnet 7/],
    ['CommitRevealEnabled', 'WEIGHTS_COMMIT_REVEAL_ON', /1 epochs apart/],
    ['CommittingWeightsTooFast', 'WEIGHTS_COMMIT_TOO_SOON', /at block 121; now is 105/],
    ['IncorrectCommitRevealVersion', 'WEIGHTS_COMMIT_VERSION', /version 4/],
    ['InvalidRevealRound', 'WEIGHTS_REVEAL_ROUND', /round 990 is public already.*up to 999/],
  ])('%s becomes %s, which says what to do', (error, code, text) => {
    expect(told(error)).toMatchObject({ code, message: expect.stringMatching(text) })
  })

  it('rate limit that the pool tells by its own word is the same', () => {
    const pooled = explainCommitRefusal('InvalidTransaction.TxRateLimitExceeded', { netuid }, now)
    expect(pooled).toMatchObject({ code: 'WEIGHTS_COMMIT_TOO_SOON', details: { next: 121 }, retryable: true })
  })

  it('each error of commit-reveal that is declared has its own', () => {
    const declared = Object.entries(errorNeeds).filter(([, need]) => need.for.some((f) => f !== 'serve'))
    expect(declared.filter(([name]) => explainCommitRefusal(name, { netuid }, now) === null)).toEqual([])
    expect(told('NotEnoughStakeToSetWeights')).toBeNull()
  })
})
