import { readFileSync } from 'node:fs'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDecoder, type Decoder } from './support/decode.ts'
import { ALICE } from './support/embedded.ts'
import { startRpcChain } from './support/rpc.ts'

interface Traces {
  readonly ops: Readonly<Record<string, { readonly rpc: readonly { readonly m: string; readonly p: unknown[] }[] }>>
}

/** What bittensor 10.5.0 asked a recording chain, operation by operation. */
const traces: Traces = JSON.parse(
  readFileSync(new URL('../../test/vectors/chain/rpc_traces_10.5.0.json', import.meta.url), 'utf8'),
)

/** The calls that it signed; each must be the same call here, of the same bytes. */
const SUBMITTED: Readonly<Record<string, string>> = {
  burned_register: 'subtensorModule.burnedRegister',
  serve_axon: 'subtensorModule.serveAxon',
  set_weights: 'subtensorModule.setMechanismWeights',
  'set_weights(no wait)': 'subtensorModule.setMechanismWeights',
  commit_weights: 'subtensorModule.commitMechanismWeights',
  reveal_weights: 'subtensorModule.revealMechanismWeights',
  add_stake: 'subtensorModule.addStake',
  transfer: 'balances.transferKeepAlive',
  register_subnet: 'subtensorModule.registerNetwork',
  set_commitment: 'commitments.setCommitment',
}
/** A neuron's own calls: its hotkey signs them here, since on this chain //Alice is a coldkey only. */
const BY_HOTKEY = new Set([
  'serve_axon',
  'set_weights',
  'set_weights(no wait)',
  'commit_weights',
  'reveal_weights',
  'set_commitment',
])
const HOTKEY = keypairFromUri('//Alice//default')

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

/** Bytes before the call of a recorded extrinsic: length 2, version 1, signer 33, signature 65, era 2 or 1, nonce 1, tip 1, mode 1. */
const callOf = (hex: string): Uint8Array => {
  const bytes = Buffer.from(hex.replace(/\.\..*$/, '').slice(2), 'hex')
  const era = bytes[101] === 0 ? 1 : 2
  return Uint8Array.from(bytes.subarray(101 + era + 3))
}

/** The recorder cut this one off in the middle of its last argument, 10⁹ rao. */
const completed = (call: Uint8Array, whole: number): Uint8Array => {
  const bytes = new Uint8Array(whole)
  bytes.set(call)
  return bytes
}
const ADD_STAKE = 2 + 32 + 2 + 8

/** It served 127.0.0.1, which a chain refuses: 10.0.0.1 here. The address stands after the call, netuid and version. */
const elsewhere = (call: Uint8Array): Uint8Array => {
  const bytes = Uint8Array.from(call)
  expect([...bytes.subarray(8, 12)]).toEqual([1, 0, 0, 127])
  bytes[11] = 10
  return bytes
}

/** Longer than any rate limit of the development chain, and than a hotkey waits whose free call failed. */
const PAUSE_BLOCKS = 6

describe('a session of bittensor 10.5.0', () => {
  let rpc: Awaited<ReturnType<typeof startRpcChain>>
  let decoder: Decoder
  let watched: unknown
  beforeAll(async () => {
    rpc = await startRpcChain()
    decoder = createDecoder(rpc.chain)
    await rpc.chain.produce()
  })
  afterAll(() => rpc.chain.close())

  const nonce = async (of: Keypair): Promise<number> => Number(await rpc.get('account_nextIndex', of.address))

  /** Puts hashes and signatures of this chain where those of the recorded one were; the calls stay as they are. */
  const translate = async (op: string, method: string, params: readonly unknown[]): Promise<unknown[]> => {
    if (SUBMITS.has(method)) {
      const cut = callOf(String(params[0]))
      const call = op === 'add_stake' ? completed(cut, ADD_STAKE) : op === 'serve_axon' ? elsewhere(cut) : cut
      expect([op, decoder.callName(call)]).toEqual([op, SUBMITTED[op]])
      const signer = BY_HOTKEY.has(op) ? HOTKEY : ALICE
      return [toHex(rpc.signer.signCall(signer, await nonce(signer), call))]
    }
    if (params[0] === 'TransactionPaymentApi_query_info') {
      const bare = rpc.transfer(ALICE, await nonce(ALICE)).slice(2)
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

  /** Reads what came by the type that this chain's metadata gives it. */
  const decode = (method: string, params: readonly unknown[], result: unknown): void => {
    const first = String(params[0])
    if (method === 'state_call') expect([first, decoder.call(first, String(result))]).not.toEqual([first, undefined])
    if (method === 'state_getStorageAt' || method === 'state_getKeysPaged') {
      expect([first, decoder.item(first)]).not.toEqual([first, undefined])
      if (typeof result === 'string') decoder.storage(first, result)
    }
    if (method !== 'state_queryStorageAt') return
    const [{ changes }] = result as [{ changes: [string, string | null][] }]
    expect(changes.map(([key]) => key)).toEqual(params[0])
    for (const [key, value] of changes) if (value !== null) decoder.storage(key, value)
  }

  test.each(Object.entries(traces.ops))('%s is answered call for call', async (op, { rpc: calls }) => {
    if (op in SUBMITTED) for (let made = 0; made < PAUSE_BLOCKS; made += 1) await rpc.chain.produce()
    for (const { m: method, p: params } of calls) {
      const ours = await translate(op, method, params)
      const { result, error, id } = await rpc.ask(method, ...ours)
      expect(id).toBe('Zy1')
      expect([method, params[0], error]).toEqual([method, params[0], undefined])
      const shape = shapes[method]
      if (shape === undefined) throw new Error(`no shape for ${method}`)
      shape(result)
      decode(method, ours, result)
      if (!SUBMITS.has(method)) continue
      watched = result
      const { hash, extrinsics } = await rpc.chain.produce()
      expect(extrinsics.map(toHex)).toContain(ours[0])
      if (method === 'author_submitAndWatchExtrinsic') {
        expect(rpc.heard(result)).toEqual(['ready', { inBlock: hash }, { finalized: hash }])
      }
    }
  })

  test('every method of the trace is judged', () => {
    const asked = new Set(Object.values(traces.ops).flatMap(({ rpc: calls }) => calls.map(({ m }) => m)))
    expect([...asked].sort()).toEqual(Object.keys(shapes).sort())
  })
})
