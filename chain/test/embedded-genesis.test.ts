import { toHex } from '@arbor/shared/hex'
import { start } from 'smoldot'
import { describe, expect, test } from 'vitest'
import { buildGenesis } from '../src/embedded/genesis.ts'
import { hashHeader } from '../src/embedded/header.ts'
import { keyBytes } from '../src/embedded/key.ts'
import { mergePatch } from '../src/embedded/merge-patch.ts'
import { createExecutor } from '../src/embedded/runtime/executor.ts'
import { trieEntries } from '../src/embedded/trie/read.ts'
import { WASM } from './support/embedded.ts'

/** The genesis hash that smoldot, an implementation of another hand, computes from the raw state. */
const smoldotGenesis = async (top: Readonly<Record<string, string>>): Promise<unknown> => {
  const client = start({ maxLogLevel: 0, forbidTcp: true, forbidWs: true, forbidWss: true, forbidWebRtc: true })
  try {
    const raw = { top, childrenDefault: {} }
    const spec = { name: 'Arbor', id: 'arbor', chainType: 'Local', bootNodes: [], properties: {}, genesis: { raw } }
    const chain = await client.addChain({ chainSpec: JSON.stringify(spec) })
    chain.sendJsonRpc(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'chainSpec_v1_genesisHash', params: [] }))
    return JSON.parse(await chain.nextJsonRpcResponse()).result
  } finally {
    await client.terminate()
  }
}

describe('genesis', () => {
  test('hash and state root equal those that smoldot computes', { timeout: 60_000 }, async () => {
    const executor = await createExecutor({ wasm: WASM })
    const { trie, header } = buildGenesis({ executor, wasm: WASM, preset: 'development' })
    const entries = [...trieEntries(trie)].map(([key, { value }]) => [
      toHex(keyBytes(key)),
      toHex(value ?? new Uint8Array()),
    ])
    expect(await smoldotGenesis(Object.fromEntries(entries))).toBe(hashHeader(header))
  })

  test('patch changes the genesis, and the same patch gives the same one', async () => {
    const executor = await createExecutor({ wasm: WASM })
    const hash = (slotDurationMs: number): string =>
      hashHeader(
        buildGenesis({ executor, wasm: WASM, preset: 'development', patch: { blockTime: { slotDurationMs } } }).header,
      )
    expect(hash(2_000)).toBe(hash(2_000))
    expect(hash(2_000)).not.toBe(hash(3_000))
  })

  test.each([
    { what: 'an unknown preset', preset: 'nowhere', patch: {} },
    { what: 'an unknown field', preset: 'development', patch: { sudoo: { key: null } } },
    { what: 'a value of another type', preset: 'development', patch: { balances: { balances: 7 } } },
  ])('genesis is refused with a reason when the configuration holds $what', async ({ preset, patch }) => {
    const executor = await createExecutor({ wasm: WASM })
    const refusal = expect.objectContaining({ code: expect.stringMatching(/^CHAIN_(GENESIS|RUNTIME_TRAP)$/) })
    expect(() => buildGenesis({ executor, wasm: WASM, preset, patch: patch as never })).toThrow(refusal)
  })

  test.each([
    // @source RFC 7396 appendix A
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('merge patch of %j with %j is %j', (target, patch, merged) => {
    expect(mergePatch(target as never, patch as never)).toEqual(merged)
  })
})

describe('executor', () => {
  test('unknown functions, panics and broken blobs are refused by their codes', async () => {
    const executor = await createExecutor({ wasm: WASM })
    const code = (run: () => unknown): unknown => {
      try {
        return run()
      } catch (error) {
        return error
      }
    }
    expect(code(() => executor.call('Core_nothing', new Uint8Array()))).toMatchObject({ code: 'CHAIN_NO_METHOD' })
    expect(code(() => executor.call('Core_initialize_block', new Uint8Array()))).toMatchObject({
      code: 'CHAIN_RUNTIME_TRAP',
      message: expect.stringMatching(/Bad input data provided to initialize_block/),
    })
    expect(executor.call('Core_version', new Uint8Array()).length).toBeGreaterThan(0) // works after a trap
    expect(code(() => executor.call('SessionKeys_generate_session_keys', Uint8Array.of(0, 0)))).toMatchObject({
      code: 'CHAIN_HOST_REFUSED',
    })
    await expect(createExecutor({ wasm: Uint8Array.of(1, 2, 3) })).rejects.toMatchObject({ code: 'CHAIN_BAD_RUNTIME' })
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    await expect(createExecutor({ wasm: empty })).rejects.toMatchObject({ code: 'CHAIN_BAD_RUNTIME' })
  })
})
