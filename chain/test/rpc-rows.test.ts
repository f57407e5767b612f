import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALICE } from './support/embedded.ts'
import { startRpcChain } from './support/rpc.ts'

const traces: { readonly ops: Readonly<Record<string, { readonly rpc: readonly { readonly m: string }[] }>> } =
  JSON.parse(readFileSync(new URL('../../test/vectors/chain/rpc_traces_10.5.0.json', import.meta.url), 'utf8'))

const HEX = expect.stringMatching(/^0x([0-9a-f]{2})*$/)

/** The methods that Bittensor's clients and their tools use, by how often they need them. */
const ROWS = {
  always: [
    'chain_getHead',
    'chain_getHeader',
    'chain_getBlockHash',
    'chain_getFinalizedHead',
    'chain_getBlock',
    'state_getRuntimeVersion',
    'state_call',
    'state_getStorageAt',
    'state_queryStorageAt',
    'state_getKeysPaged',
    'author_submitAndWatchExtrinsic',
    'author_submitExtrinsic',
    'author_unwatchExtrinsic',
    'account_nextIndex',
    'rpc_methods',
  ],
  often: [
    'state_getMetadata',
    'system_chain',
    'system_properties',
    'system_version',
    'system_name',
    'system_health',
    'state_getStorage',
    'chain_subscribeNewHeads',
    'chain_unsubscribeNewHeads',
    'chain_subscribeFinalizedHeads',
    'state_subscribeStorage',
    'state_unsubscribeStorage',
  ],
  seldom: ['author_pendingExtrinsics', 'chain_subscribeAllHeads', 'system_accountNextIndex', 'payment_queryInfo'],
} as const

interface Chain {
  readonly best: string
  readonly transfer: string
}

/** twox128("Timestamp") ++ twox128("Now") */
const NOW = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb'
const NONE = (): unknown[] => []
const SUBSCRIPTION = expect.stringMatching(/^sub-\d+$/)

/**
 * Rows that the recorded session did not ask: it fell back to nothing older (V14 metadata), knew the chain's name, polled
 * instead of subscribing, and looked into no pool. Each is asked here.
 */
const NOT_RECORDED: Readonly<
  Record<string, { readonly params: (chain: Chain) => unknown[]; readonly result: unknown }>
> = {
  state_getMetadata: { params: NONE, result: expect.stringMatching(/^0x6d6574610e/) },
  system_chain: { params: NONE, result: 'Arbor Development' },
  system_properties: { params: NONE, result: { ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' } },
  system_version: { params: NONE, result: expect.any(String) },
  system_name: { params: NONE, result: 'Arbor' },
  system_health: { params: NONE, result: { peers: 0, isSyncing: false, shouldHavePeers: false } },
  state_getStorage: { params: ({ best }) => [NOW, best], result: HEX },
  chain_subscribeNewHeads: { params: NONE, result: SUBSCRIPTION },
  chain_unsubscribeNewHeads: { params: () => ['sub-0'], result: false },
  chain_subscribeFinalizedHeads: { params: NONE, result: SUBSCRIPTION },
  state_subscribeStorage: { params: () => [[NOW]], result: SUBSCRIPTION },
  state_unsubscribeStorage: { params: () => ['sub-0'], result: false },
  author_pendingExtrinsics: { params: NONE, result: [] },
  chain_subscribeAllHeads: { params: NONE, result: SUBSCRIPTION },
  system_accountNextIndex: { params: () => [ALICE.address], result: expect.any(Number) },
  payment_queryInfo: {
    params: ({ transfer }) => [transfer],
    result: {
      weight: { ref_time: expect.any(Number), proof_size: expect.any(Number) },
      class: 'normal',
      partialFee: expect.stringMatching(/^\d+$/),
    },
  },
}
/** What ends each subscription. */
const ENDINGS: Readonly<Record<string, string>> = {
  chain_unsubscribeNewHeads: 'chain_subscribeNewHeads',
  chain_unsubscribeFinalizedHeads: 'chain_subscribeFinalizedHeads',
  chain_unsubscribeAllHeads: 'chain_subscribeAllHeads',
  state_unsubscribeStorage: 'state_subscribeStorage',
}

describe('the methods of Bittensor’s clients', () => {
  let rpc: Awaited<ReturnType<typeof startRpcChain>>
  beforeAll(async () => {
    rpc = await startRpcChain()
    await rpc.chain.produce()
  })
  afterAll(() => rpc.chain.close())

  test('every row of what Bittensor’s clients need is replayed in a recorded session or asked here', () => {
    const recorded = new Set(Object.values(traces.ops).flatMap(({ rpc: calls }) => calls.map(({ m }) => m)))
    const rows = new Set<string>(Object.values(ROWS).flat())
    expect([...recorded].filter((method) => !rows.has(method))).toEqual([])
    expect([...rows].filter((method) => !recorded.has(method)).sort()).toEqual(Object.keys(NOT_RECORDED).sort())
  })

  test.each(Object.entries(NOT_RECORDED))('%s is answered', async (method, { params, result }) => {
    const best = rpc.chain.best().hash
    const of: Chain = { best, transfer: rpc.transfer(ALICE, Number(await rpc.get('account_nextIndex', ALICE.address))) }
    const answer = await rpc.get(method, ...params(of))
    expect([method, answer]).toEqual([method, result])
    const ending = Object.entries(ENDINGS).find(([, begins]) => begins === method)?.[0]
    if (ending === undefined) return
    await rpc.chain.produce()
    expect(rpc.heard(answer).length).toBeGreaterThan(1)
    expect(await rpc.get(ending, answer)).toBe(true)
  })

  test('a batch, which one of its helpers sends, is answered in the order it came', async () => {
    const batch = ['chain_getHead', 'system_chain'].map((method, id) => ({
      jsonrpc: '2.0',
      id: `b${id}`,
      method,
      params: [],
    }))
    expect(JSON.parse((await rpc.raw(JSON.stringify(batch))) ?? '')).toMatchObject([
      { id: 'b0', result: rpc.chain.best().hash },
      { id: 'b1', result: 'Arbor Development' },
    ])
  })
})
