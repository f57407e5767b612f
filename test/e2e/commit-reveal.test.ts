import { adminSet, batchAll, commitWeights, revealWeights, setWeights, sudo } from '@arbor/chain/client/calls'
import { explainCommitRefusal } from '@arbor/chain/client/commit-refusals'
import type { PendingCommit } from '@arbor/chain/client/commits'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import { drawSalt, type SaltedRow, saltedHash, saltedRow } from '@arbor/chain/client/salted'
import type { Call, Submission } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import type { Block, Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alice, netuid, openCommitReveal, validator } from './support/committing.ts'
import { type RealChain, startRealChain } from './support/real-chain.ts'

/** 24 × 250 ms: room for several refusals in one epoch, each of which costs the hotkey 5 blocks. */
const TEMPO = 24
const { signal } = new AbortController()
let process: RealChain
let chain: ChainConnection
let uids: { readonly validator: Uid; readonly miner: Uid }

/** Submits; a hotkey whose free call failed has to wait some blocks before its next one. */
const submit = async (call: Call, signer: Keypair): Promise<Submission> => {
  for (;;) {
    const outcome = await chain.submit(call, { signer, signal, waitFor: 'finalised' })
    if (outcome.status !== 'refused' || outcome.error !== 'InvalidTransaction.TxRateLimitExceeded') return outcome
    expect(outcome.retryable).toBe(true)
    await reach((await chain.finalized()).number + 1)
  }
}
const mustSubmit = async (call: Call, signer: Keypair) => {
  const outcome = await submit(call, signer)
  if (outcome.status !== 'finalised') throw new Error(JSON.stringify(outcome))
  return outcome.block
}
const reach = async (block: number): Promise<void> => {
  for await (const head of chain.heads('finalized', signal)) if (head.number >= block) return
}
const pending = async (): Promise<readonly PendingCommit[]> =>
  (await chain.pendingCommits({ netuid, hotkey: validator.address })).commits
/** What the client makes of a refusal, as whoever submits does. */
const explained = async (call: Call, attempt: { hash?: `0x${string}` } = {}) => {
  const outcome = await submit(call, validator)
  if (outcome.status !== 'failed') throw new Error(JSON.stringify(outcome))
  const at = await chain.pendingCommits({ netuid, hotkey: validator.address }, outcome.block.hash)
  const { lastUpdate } = (await chain.metagraph(netuid)).neurons[uids.validator] ?? { lastUpdate: 0 as Block }
  return explainCommitRefusal(outcome.error, { netuid, lastCommit: lastUpdate, ...attempt }, at)
}
const row = (value: number): SaltedRow =>
  saltedRow({
    netuid,
    mechanism: 0,
    hotkey: validator.address,
    row: [
      [uids.validator, value],
      [uids.miner, 65_535],
    ],
    salt: drawSalt((length) => new Uint8Array(length).fill(value)),
    version: 77n,
  })

beforeAll(async () => {
  process = await startRealChain()
  chain = await connectChain({ url: process.url, signal, clock: systemClock })
  uids = await openCommitReveal({ chain, mustSubmit })
  for (;;) {
    const { neurons, block } = await chain.metagraph(netuid)
    if (neurons[uids.validator]?.validatorPermit) break
    await reach(block.number + 1)
  }
  await mustSubmit(sudo(adminSet('tempo', { netuid, tempo: TEMPO })), alice)
}, 120_000)
afterAll(async () => {
  await chain?.close()
  await process?.stop()
})

describe('salted commit and reveal', () => {
  it('row is pending with the blocks in which it is opened, refused before them, and set in them', async () => {
    const sealed = row(9)
    const hash = saltedHash(sealed)
    const committed = await mustSubmit(commitWeights(sealed), validator)
    // The hotkey's last_update has moved although no weights were set: what is pending tells the truth.
    const { neurons } = await chain.metagraph(netuid, committed.hash)
    expect(neurons[uids.validator]?.lastUpdate).toBe(committed.number)
    expect(await chain.weights(netuid, uids.validator)).toEqual([])
    const own = { netuid, mechanism: 0, hotkey: validator.address, row: sealed.row, committedAt: committed.number }
    expect(await chain.revealed(own)).toMatchObject({ kind: 'other', found: [] })
    const [commit] = await pending()
    expect(commit).toMatchObject({
      hotkey: validator.address,
      block: committed.number,
      sealed: { kind: 'salted', hash },
      status: 'waiting',
    })
    const window = commit?.window ?? { from: 0, to: 0 }
    expect(window.to - window.from).toBe(TEMPO - 1)
    expect(await explained(revealWeights(sealed), { hash })).toMatchObject({
      code: 'WEIGHTS_REVEAL_TOO_EARLY',
      retryable: true,
      details: { from: window.from, to: window.to },
    })
    await reach(window.from)
    const [open] = await pending()
    expect(open).toMatchObject({ status: 'open', window })
    expect(await explained(revealWeights({ ...sealed, version: 78n }), { hash })).toMatchObject({
      code: 'WEIGHTS_REVEAL_MISMATCH',
    })
    const opened = await mustSubmit(revealWeights(sealed), validator)
    expect(opened.number).toBeLessThanOrEqual(window.to)
    expect(await chain.weights(netuid, uids.validator)).toEqual(sealed.row)
    expect(await chain.revealed(own)).toEqual({ kind: 'revealed', changedHands: [] })
    expect(await pending()).toEqual([])
    expect(await explained(revealWeights(sealed), { hash })).toMatchObject({ code: 'WEIGHTS_NO_COMMIT' })
  })

  it('row whose epoch went by is expired and refused as such', async () => {
    const sealed = row(11)
    await mustSubmit(commitWeights(sealed), validator)
    const [commit] = await pending()
    await reach((commit?.window?.to ?? 0) + 1)
    expect(await pending()).toMatchObject([{ status: 'expired', window: null }])
    expect(await explained(revealWeights(sealed), { hash: saltedHash(sealed) })).toMatchObject({
      code: 'WEIGHTS_COMMIT_EXPIRED',
    })
  })

  it('weights in the open are refused while it is on, and commits while it is off or too soon', async () => {
    const open = setWeights({ netuid, row: [[uids.miner, 65_535]], version: 0 })
    expect(await explained(open)).toMatchObject({ code: 'WEIGHTS_COMMIT_REVEAL_ON', details: { revealPeriod: 1 } })
    await mustSubmit(sudo(adminSet('weights_set_rate_limit', { netuid, weights_set_rate_limit: 500 })), alice)
    const { lastUpdate } = (await chain.metagraph(netuid)).neurons[uids.validator] ?? { lastUpdate: 0 }
    await reach((await chain.finalized()).number + 6) // the refusal before costs 5 blocks
    const call = commitWeights(row(13))
    const refused = await chain.submit(call, { signer: validator, signal })
    if (!('error' in refused)) throw new Error(refused.status)
    const at = await chain.pendingCommits({ netuid, hotkey: validator.address })
    const soon = explainCommitRefusal(refused.error, { netuid, lastCommit: lastUpdate as Block }, at)
    expect(soon).toMatchObject({ code: 'WEIGHTS_COMMIT_TOO_SOON', retryable: true })
    expect(soon?.details.next).toBe(lastUpdate + 500)
    await mustSubmit(
      batchAll([
        sudo(adminSet('commit_reveal_weights_enabled', { netuid, enabled: false })),
        sudo(adminSet('weights_set_rate_limit', { netuid, weights_set_rate_limit: 0 })),
      ]),
      alice,
    )
    expect(await explained(commitWeights(row(14)))).toMatchObject({ code: 'WEIGHTS_COMMIT_REVEAL_OFF' })
  })
})
