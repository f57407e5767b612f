import { zstdCompressSync } from 'node:zlib'
import { serveAxon, setWeights } from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Call } from '@arbor/chain/client/types'
import { type ChainCode, followChainCode } from '@arbor/chain/signer/chain-code'
import { refused } from '@arbor/chain/signer/errors'
import { createJudge } from '@arbor/chain/signer/judge'
import { policyFor } from '@arbor/chain/signer/policy'
import { noSpending } from '@arbor/chain/signer/spend'
import { systemClock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Signer } from '@arbor/shared/signer'
import type { NetUid, Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { upgradedBlob } from '../../chain/test/support/upgraded-blob.ts'
import { type RealChain, startRealChain } from './support/real-chain.ts'

const NEW = 1_000
const netuid = 1 as NetUid
const stop = new AbortController()
const { signal } = stop
const alice = keypairFromUri('//Alice')
const hotkey = keypairFromUri('//Alice//default')
const upgrades: object[] = []
const log = {
  warn: (fields: object) => {
    if ('event' in fields && fields.event === 'signer.upgraded') upgrades.push(fields)
  },
}
let process: RealChain
let chain: ChainConnection
let code: ChainCode
/** Payloads as they were asked for, oldest first. */
const asked: Uint8Array[] = []

beforeAll(async () => {
  process = await startRealChain()
  chain = await connectChain({ url: process.url, signal, clock: systemClock })
  code = await followChainCode({ url: process.url, genesisHash: null, clock: systemClock, log, signal })
}, 120_000)
afterAll(async () => {
  stop.abort()
  await Promise.all([chain?.close(), code?.close()])
  await process?.stop()
})

const judged = (bytes: Uint8Array) =>
  createJudge({
    policy: policyFor('validator', { netuids: [netuid], speaksBittensor: false }),
    code,
    spending: noSpending,
    clock: systemClock,
  })({ kind: 'extrinsic', hotkey: hotkey.address, bytes }, signal)

/** A hotkey behind the policy of a validator. */
const signer: Signer = {
  ...hotkey,
  sign: async (_, purpose) => {
    if (purpose.kind !== 'extrinsic') throw new Error('only extrinsics are asked for here')
    asked.push(purpose.payload)
    const judgement = await judged(purpose.payload)
    if (!judgement.ok) throw refused(judgement.rule, judgement.why)
    return hotkey.sign(judgement.message)
  },
}
const weights = setWeights({ netuid, row: [[0 as Uid, 65_535]], version: 0n })
const serve = serveAxon({ netuid, axon: { ip: '203.0.113.7', port: 8091, version: 2, protocol: 4 } })

const setCode = (blob: Uint8Array): Call => ({
  pallet: 'Sudo',
  call: 'sudo_unchecked_weight',
  args: {
    call: {
      pallet: 'System',
      call: 'set_code',
      // What Substrate takes for a compressed runtime. @source sp_maybe_compressed_blob ZSTD_PREFIX
      args: { code: toHex(Buffer.concat([Buffer.of(82, 188, 83, 118, 70, 219, 142, 5), zstdCompressSync(blob)])) },
    },
    weight: { ref_time: 0, proof_size: 0 },
  },
})

test('a signer reads new code before it signs, and refuses what was made for the old', async () => {
  const first = await chain.submit(serve, { signer, signal })
  expect(first.status === 'included' || ('error' in first && first.error.startsWith('SubtensorModule.'))).toBe(true)
  const [old = new Uint8Array()] = asked
  expect((await judged(old)).ok).toBe(true)

  const blob = upgradedBlob({ specVersion: NEW, rename: [['serve_axon', 'serve_anon']] })
  expect(await chain.submit(setCode(blob), { signer: alice, signal, waitFor: 'finalised' })).toMatchObject({
    status: 'finalised',
  })
  expect(await judged(old)).toMatchObject({ ok: false, rule: 'call', about: { call: 'SubtensorModule.serve_anon' } })
  expect([code.specVersion(), upgrades.length]).toEqual([NEW, 1])

  const second = await chain.submit(weights, { signer, signal })
  expect(second.status === 'included' || ('error' in second && second.error.startsWith('SubtensorModule.'))).toBe(true)
  const renamed: Call = { ...serve, call: 'serve_anon' }
  await expect(chain.submit(renamed, { signer, signal })).rejects.toMatchObject({ details: { rule: 'call' } })
}, 120_000)
