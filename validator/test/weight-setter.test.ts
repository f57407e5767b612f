import type { ChainClient, Submission, WeightRow } from '@arbor/chain/client/types'
import { away, refused } from '@arbor/chain/signer/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Hex, NetUid, Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { sameRow, setRow } from '../src/weight-setter.ts'
import { hyperparameters, metagraph, neuron } from './fixtures.ts'

const hotkey = keypairFromUri('//Alice')
const me = neuron({ uid: 4, hotkey: hotkey.address })
const row: WeightRow = [
  [1 as Uid, 65_535],
  [3 as Uid, 30_000],
]
const later = { number: 103 as Block, hash: '0x33' as Hex }
const included: Submission = {
  status: 'finalised',
  block: { number: 102 as Block, hash: '0x22' },
  hash: '0x44',
  events: [],
}

/** A chain that holds one row before a submission and another after it. */
const setUp = (of: { before?: WeightRow; after?: WeightRow; submission?: Submission }) => {
  const sent: unknown[] = []
  const chain = {
    weights: async (_: NetUid, __: Uid, at?: Hex) => (at === later.hash ? (of.after ?? row) : (of.before ?? [])),
    finalized: async () => later,
    submit: async (call: unknown) => {
      sent.push(call)
      return of.submission ?? included
    },
  } as unknown as ChainClient
  const ledger = openLedger({ owner: { genesisHash: '0xaa', netuid: 1 as NetUid, hotkey: hotkey.address } })
  const deps = {
    chain,
    ledger,
    hotkey,
    netuid: 1 as NetUid,
    version: 1,
    clock: createManualClock(0),
    log: createLogger({ name: 'test', level: 'silent' }),
  }
  return { deps, ledger, sent }
}
const snapshot = { metagraph: metagraph(), hyperparameters: hyperparameters(), me }
const signal = new AbortController().signal

describe('setRow', () => {
  test('confirms a row that reads back as sent', async () => {
    const { deps, ledger } = setUp({})
    expect(await setRow(deps, { row, snapshot, signal })).toMatchObject({
      kind: 'confirmed',
      includedAt: 102,
      block: later,
    })
    expect(ledger.lastAttempt()).toMatchObject({ state: 'confirmed', row, includedAt: 102, readBackAt: 103 })
  })

  test('reports a mismatch when the chain holds another row', async () => {
    const { deps, ledger } = setUp({ after: [[1 as Uid, 65_535]] })
    expect(await setRow(deps, { row, snapshot, signal })).toMatchObject({ kind: 'mismatch', held: [[1, 65_535]] })
    expect(ledger.lastAttempt()?.state).toBe('mismatch')
  })

  test('sends nothing while a rule of the chain forbids it', async () => {
    const { deps, sent, ledger } = setUp({})
    const waiting = { ...snapshot, me: neuron({ uid: 4, hotkey: hotkey.address, validatorPermit: false }) }
    expect(await setRow(deps, { row, snapshot: waiting, signal })).toMatchObject({
      kind: 'waiting',
      next: { rule: 'permit' },
    })
    expect(sent).toEqual([])
    expect(ledger.lastAttempt()).toBeNull()
  })

  test('sends nothing when the chain holds the row and the validator is not stale', async () => {
    const { deps, sent } = setUp({ before: row })
    const recent = {
      ...snapshot,
      me: neuron({ uid: 4, hotkey: hotkey.address, lastUpdate: 95 }),
      hyperparameters: hyperparameters({ weightsRateLimit: 2 }),
    }
    expect(await setRow(deps, { row, snapshot: recent, signal })).toMatchObject({ kind: 'unchanged' })
    expect(sent).toEqual([])
  })

  test('sends the same row again after a tempo without one', async () => {
    const { deps, sent } = setUp({ before: row })
    const old = { ...snapshot, me: neuron({ uid: 4, hotkey: hotkey.address, lastUpdate: 70 }) }
    await setRow(deps, { row, snapshot: old, signal })
    expect(sent).toHaveLength(1)
  })

  test('never sends an empty row', async () => {
    const { deps, sent } = setUp({})
    expect(await setRow(deps, { row: [], snapshot, signal })).toEqual({ kind: 'nothing-scored' })
    expect(sent).toEqual([])
  })

  test.each([
    ['is away', away('/run/signer', 'nobody answers'), 'SIGNER_AWAY', true],
    ['refuses for good', refused('netuid', 'the policy does not name subnet 1'), 'SIGNER_REFUSED', false],
  ] as const)("is a failed attempt and no crash when the hotkey's signer %s", async (_, error, code, retryable) => {
    const { deps, ledger } = setUp({})
    const chain = { ...deps.chain, submit: () => Promise.reject(error) }
    expect(await setRow({ ...deps, chain }, { row, snapshot, signal })).toMatchObject({
      kind: 'failed',
      error: expect.stringMatching(`^${code}: `),
      retryable,
    })
    expect(ledger.lastAttempt()?.state).toBe('failed')
    expect(await setRow(deps, { row, snapshot, signal })).toMatchObject({ kind: 'confirmed' })
  })

  test('keeps the name of the error when the chain refuses', async () => {
    const { deps, ledger } = setUp({
      submission: { status: 'refused', code: 1010, error: 'InvalidTransaction.Payment', retryable: false },
    })
    expect(await setRow(deps, { row, snapshot, signal })).toMatchObject({
      kind: 'failed',
      error: 'InvalidTransaction.Payment',
    })
    expect(ledger.lastAttempt()).toMatchObject({ state: 'failed', error: 'InvalidTransaction.Payment' })
  })
})

test('sameRow takes an absent uid for a zero', () => {
  expect(
    sameRow(
      [[1 as Uid, 5]],
      [
        [2 as Uid, 0],
        [1 as Uid, 5],
      ],
    ),
  ).toBe(true)
  expect(sameRow([[1 as Uid, 5]], [[1 as Uid, 6]])).toBe(false)
  expect(sameRow([[1 as Uid, 5]], [])).toBe(false)
})
