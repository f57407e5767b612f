import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALICE } from './support/embedded.ts'
import { startRpcChain } from './support/rpc.ts'

interface Traces {
  readonly ops: Readonly<Record<string, { readonly rpc: readonly { readonly m: string; readonly p: unknown[] }[] }>>
}

/** What bittensor 10.5.0 asked a recording chain, operation by operation. */
const traces: Traces = JSON.parse(
  readFileSync(new URL('../../test/vectors/chain/rpc_traces_10.5.0.json', import.meta.url), 'utf8'),
)

const HEX = expect.stringMatching(/^0x([0-9a-f]{2})*$/)
const HASH = expect.stringMatching(/^0x[0-9a-f]{64}$/)
const HEADER = {
  parentHash: HASH,
  number: expect.stringMatching(/^0x[0-9a-f]+$/),
  stateRoot: HASH,
  extrinsicsRoot: HASH,
  digest: { logs: expect.any(Array) },
}
const NULL_OR_HEX = /^(null|"0x([0-9a-f]{2})*")$/

/** What the client needs of each answer. */
const shapes: Readonly<Record<string, (result: unknown) => void>> = {
  account_nextIndex: (result) => expect(result).toEqual(expect.any(Number)),
  author_submitAndWatchExtrinsic: (result) => expect(result).toEqual(expect.any(String)),
  author_submitExtrinsic: (result) => expect(result).toEqual(HASH),
  author_unwatchExtrinsic: (result) => expect(result).toBe(true),
  chain_getBlock: (result) =>
    expect(result).toEqual({ block: { header: HEADER, extrinsics: expect.any(Array) }, justifications: null }),
  chain_getBlockHash: (result) => expect(result).toEqual(HASH),
  chain_getFinalizedHead: (result) => expect(result).toEqual(HASH),
  chain_getHead: (result) => expect(result).toEqual(HASH),
  chain_getHeader: (result) => expect(result).toEqual(HEADER),
  rpc_methods: (result) => expect(result).toEqual({ methods: expect.arrayContaining(['account_nextIndex']) }),
  state_call: (result) => expect(result).toEqual(HEX),
  state_getKeysPaged: (result) => expect(result).toEqual(expect.any(Array)),
  state_getRuntimeVersion: (result) =>
    expect(result).toMatchObject({ specVersion: expect.any(Number), transactionVersion: expect.any(Number) }),
  state_getStorageAt: (result) => expect(JSON.stringify(result)).toMatch(NULL_OR_HEX),
  state_queryStorageAt: (result) => expect(result).toEqual([{ block: HASH, changes: expect.any(Array) }]),
}

/** A u32 in little-endian hexadecimal, without 0x as the client writes it. */
const length = (bytes: number): string => {
  const encoded = Buffer.alloc(4)
  encoded.writeUInt32LE(bytes)
  return encoded.toString('hex')
}

/** The recorder shortened this argument: netuid 1, mechanism 0, and the 74 fields 0, 1, … as u16. */
const MECHAGRAPH = `0100002901${Array.from({ length: 74 }, (_, field) => `${field.toString(16).padStart(2, '0')}00`).join('')}`

const SUBMITS = new Set(['author_submitAndWatchExtrinsic', 'author_submitExtrinsic'])

describe('a session of bittensor 10.5.0', () => {
  let rpc: Awaited<ReturnType<typeof startRpcChain>>
  let nonce = 0
  let watched: unknown
  beforeAll(async () => {
    rpc = await startRpcChain()
    await rpc.chain.produce()
  })
  afterAll(() => rpc.chain.close())

  /** Puts hashes and extrinsics of this chain where those of the recorded one were. */
  const translate = (method: string, params: readonly unknown[]): unknown[] => {
    if (SUBMITS.has(method)) {
      nonce += 1
      return [rpc.transfer(ALICE, nonce - 1)]
    }
    if (params[0] === 'TransactionPaymentApi_query_info') {
      const bare = rpc.transfer(ALICE, nonce).slice(2)
      return [params[0], `${bare}${length(bare.length / 2)}`, null]
    }
    if (params[0] === 'SubnetInfoRuntimeApi_get_selective_mechagraph') {
      return [params[0], MECHAGRAPH, rpc.chain.best().hash]
    }
    if (method === 'author_unwatchExtrinsic') return [watched]
    if (method === 'chain_getBlockHash' && typeof params[0] === 'number') return [0]
    const best = rpc.chain.best().hash
    const isHash = (value: unknown): boolean => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)
    // Keys of 32 bytes exist too, but never in the last place, where block hashes stand.
    return params.map((value, index) => (index === params.length - 1 && isHash(value) ? best : value))
  }

  test.each(Object.entries(traces.ops))('%s is answered call for call', async (_, { rpc: calls }) => {
    for (const { m: method, p: params } of calls) {
      const { result, error, id } = await rpc.ask(method, ...translate(method, params))
      expect([method, params[0], error]).toEqual([method, params[0], undefined])
      expect(id).toBe('Zy1')
      const shape = shapes[method]
      if (shape === undefined) throw new Error(`no shape for ${method}`)
      shape(result)
      if (method === 'author_submitAndWatchExtrinsic') {
        watched = result
        const { hash } = await rpc.chain.produce()
        expect(rpc.heard(result)).toEqual(['ready', { inBlock: hash }, { finalized: hash }])
      }
    }
  })

  test('every method of the trace is judged', () => {
    const asked = new Set(Object.values(traces.ops).flatMap(({ rpc: calls }) => calls.map(({ m }) => m)))
    expect([...asked].sort()).toEqual(Object.keys(shapes).sort())
  })
})
