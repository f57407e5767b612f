import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { poolError } from '../src/rpc/error.ts'
import { startRpcChain } from './support/rpc.ts'

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeAll(async () => {
  rpc = await startRpcChain()
})
afterAll(() => rpc.chain.close())

const parsed = async (text: string): Promise<unknown> => JSON.parse((await rpc.raw(text)) ?? 'null')

describe('JSON-RPC', () => {
  test.each([
    '"Zy1"',
    '7',
    '-0.5',
    'null',
    '""',
    '18446744073709551615',
    '-0',
    '1e400',
    '0.1000',
    `"${'z'.repeat(100_000)}"`,
  ])('an id goes back as it came when it is %s', async (id) => {
    const text = await rpc.raw(`{"jsonrpc":"2.0","id":${id},"method":"system_name"}`)
    expect(text).toBe(`{"jsonrpc":"2.0","id":${id},"result":"Arbor"}`)
  })

  test('text that is no JSON is a parse error', async () => {
    expect(await parsed('{"jsonrpc"')).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32_700, message: 'Parse error' },
    })
  })

  test.each([
    ['no version', '{"id":1,"method":"system_name"}', 1],
    ['a method that is no text', '{"jsonrpc":"2.0","id":"a","method":5}', 'a'],
    ['params that are text', '{"jsonrpc":"2.0","id":1,"method":"system_name","params":"a"}', 1],
    ['an id that is a list', '{"jsonrpc":"2.0","id":[1],"method":"system_name"}', null],
    ['a number', '5', null],
    ['an empty batch', '[]', null],
  ])('a request with %s is invalid', async (_, text, id) => {
    expect(await parsed(text)).toMatchObject({ id, error: { code: -32_600, message: 'Invalid request' } })
  })

  test('a method that does not exist is told so', async () => {
    for (const method of ['nope', 'constructor', '__proto__', 'toString']) {
      expect((await rpc.ask(method)).error).toEqual({ code: -32_601, message: 'Method not found' })
    }
  })

  test('wrong params are told with a reason and nothing breaks', async () => {
    const wrong: readonly (readonly [string, ...unknown[]])[] = [
      ['chain_getHeader', '0x12'],
      ['chain_getBlockHash', -1],
      ['chain_getBlockHash', 'x'],
      ['state_getStorage', '0x123'],
      ['state_getStorage'],
      ['state_call', 'Core_version'],
      ['state_call', 5, '0x'],
      ['state_queryStorageAt', '0x00'],
      ['state_getKeysPaged', '0x', -1],
      ['account_nextIndex', '5Grw'],
      ['author_submitExtrinsic', 'zz'],
      ['state_subscribeStorage', 'no list'],
      ['engine_createBlock', 'yes'],
    ]
    for (const [method, ...params] of wrong) {
      const { error } = await rpc.ask(method, ...params)
      expect([method, error?.code, typeof error?.data]).toEqual([method, -32_602, 'string'])
    }
    expect(await rpc.get('system_name')).toBe('Arbor')
  })

  test('a batch is answered in order, with a place for each fault and none for notifications', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 'a', method: 'system_name' },
      { jsonrpc: '2.0', method: 'system_name' },
      5,
      { jsonrpc: '2.0', id: 'b', method: 'chain_getHead', params: [] },
    ]
    expect(await parsed(JSON.stringify(batch))).toMatchObject([
      { id: 'a', result: 'Arbor' },
      { id: null, error: { code: -32_600 } },
      { id: 'b', result: rpc.chain.best().hash },
    ])
  })

  test.each([
    ['empty lists', `[${'[],'.repeat(300_000)}[]]`],
    ['depth', '['.repeat(300_000) + ']'.repeat(300_000)],
    ['numbers', `{"jsonrpc":"2.0","id":1e400,"method":"a","params":[${'1,'.repeat(300_000)}1]}`],
  ])('a message of too many values (%s) is refused before it is read', async (_, text) => {
    expect(await parsed(text)).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32_007, message: 'Request is too big', data: 'Exceeded max limit of 262144 values' },
    })
  })

  test('nothing is sent when all that came are notifications', async () => {
    expect(await rpc.raw('{"jsonrpc":"2.0","method":"system_name"}')).toBeNull()
    expect(await rpc.raw('[{"jsonrpc":"2.0","method":"nope"}]')).toBeNull()
  })

  test('a batch beyond the bound is refused whole', async () => {
    const batch = Array.from({ length: 1025 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'system_name' }))
    expect(await parsed(JSON.stringify(batch))).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32_010, message: 'The batch request was too large', data: 'Exceeded max limit of 1024' },
    })
  })

  test('rpc_methods names exactly what is answered', async () => {
    const { methods } = (await rpc.get('rpc_methods')) as { methods: string[] }
    for (const needed of ['account_nextIndex', 'state_call', 'state_getStorageAt', 'author_unwatchExtrinsic']) {
      expect(methods).toContain(needed)
    }
    const fresh = rpc.client()
    for (const method of methods) {
      const { error } = await fresh.ask(method)
      expect([method, error?.code]).not.toEqual([method, -32_601])
      expect([method, error?.code]).not.toEqual([method, -32_603])
    }
    fresh.session.close()
  })

  test('a subscription without a connection that can carry it is refused', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads","params":[]}'
    expect(JSON.parse((await rpc.dispatcher.handle(text, null)) ?? '')).toMatchObject({ error: { code: -32_601 } })
  })

  test('subscriptions beyond the bound are refused until one ends', async () => {
    const two = rpc.client(2)
    const first = await two.get('chain_subscribeNewHeads')
    await two.get('chain_subscribeNewHeads')
    expect((await two.ask('chain_subscribeNewHeads')).error?.code).toBe(-32_006)
    expect(await two.get('chain_unsubscribeNewHeads', first)).toBe(true)
    expect(await two.get('chain_unsubscribeNewHeads', first)).toBe(false)
    expect((await two.ask('chain_subscribeNewHeads')).error).toBeUndefined()
    two.session.close()
  })
})

describe('refusals of the pool that this runtime never gives', () => {
  const unknown = (index: number, custom: number | null = null) =>
    poolError({ reason: 'unknown', validity: { valid: false, kind: 'unknown', index, custom } })

  test('are written as a node writes them', () => {
    expect([0, 1, 9].map((index) => unknown(index))).toMatchObject([
      { rpcCode: 1011, message: 'Unknown Transaction Validity', data: 'CannotLookup' },
      { rpcCode: 1011, data: 'NoUnsignedValidator' },
      { rpcCode: 1011, data: 'Unknown 9' },
    ])
    expect(unknown(2, 7).data).toBe('Custom(7)')
    expect(poolError({ reason: 'no-tags' })).toMatchObject({
      rpcCode: 1019,
      message: 'No tags provided',
      data: "Transaction does not provide any tags, so the pool can't identify it",
    })
  })
})
