import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALICE, BOB } from './support/embedded.ts'
import { extrinsicHash, startRpcChain } from './support/rpc.ts'

/** An account that holds nothing. */
const POOR = keypairFromUri('//Nobody')

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeEach(async () => {
  rpc = await startRpcChain()
})
afterEach(() => rpc.chain.close())

describe('author_submitExtrinsic', () => {
  test('a good extrinsic is answered with its hash, with and without 0x', async () => {
    const [first, second] = [rpc.transfer(ALICE, 0), rpc.transfer(ALICE, 1)]
    expect(await rpc.get('author_submitExtrinsic', first)).toBe(extrinsicHash(first))
    expect(await rpc.get('author_submitExtrinsic', second.slice(2))).toBe(extrinsicHash(second))
  })

  test('an account that cannot pay is told so, and the same bytes are banned for a while', async () => {
    const hex = rpc.transfer(POOR, 0)
    expect((await rpc.ask('author_submitExtrinsic', hex)).error).toEqual({
      code: 1010,
      message: 'Invalid Transaction',
      data: 'Inability to pay some fees (e.g. account balance too low)',
    })
    expect((await rpc.ask('author_submitExtrinsic', hex)).error).toEqual({
      code: 1012,
      message: 'Transaction is temporarily banned',
    })
    await rpc.clock.advance(60_000)
    expect((await rpc.ask('author_submitExtrinsic', hex)).error?.code).toBe(1010)
  })

  test('a used nonce is outdated', async () => {
    const hex = rpc.transfer(ALICE, 0)
    await rpc.get('author_submitExtrinsic', hex)
    await rpc.get('engine_createBlock', true, false)
    expect((await rpc.ask('author_submitExtrinsic', hex)).error?.code).toBe(1012)
    expect((await rpc.ask('author_submitExtrinsic', rpc.transfer(ALICE, 0, 5n))).error).toEqual({
      code: 1010,
      message: 'Invalid Transaction',
      data: 'Transaction is outdated',
    })
  })

  test('a wrong signature is told so', async () => {
    const bytes = Buffer.from(rpc.transfer(ALICE, 0).slice(2), 'hex')
    bytes[60] = (bytes[60] ?? 0) ^ 1
    expect((await rpc.ask('author_submitExtrinsic', toHex(bytes))).error).toMatchObject({
      code: 1010,
      data: 'Transaction has a bad signature',
    })
  })

  test('a free call of an unregistered hotkey carries the number of the custom error', async () => {
    const call = rpc.signer.sign(POOR, 0, 'subtensorModule', 'setWeights', 1, [0], [65_535], 0)
    expect((await rpc.ask('author_submitExtrinsic', toHex(call))).error).toEqual({
      code: 1010,
      message: 'Invalid Transaction',
      data: 'Custom error: 4',
    })
  })

  test('a second submission and a rival of the same worth are refused', async () => {
    const hex = rpc.transfer(ALICE, 0)
    await rpc.get('author_submitExtrinsic', hex)
    expect((await rpc.ask('author_submitExtrinsic', hex)).error).toEqual({
      code: 1013,
      message: 'Transaction Already Imported',
      data: extrinsicHash(hex),
    })
    expect((await rpc.ask('author_submitExtrinsic', rpc.transfer(ALICE, 0, 5n))).error).toMatchObject({
      code: 1014,
      message: expect.stringMatching(/^Priority is too low: \(\d+ vs \d+\)$/),
      data: 'The transaction has too low priority to replace another transaction already in the pool.',
    })
  })

  test.each([
    ['0x', 1001, /^Extrinsic has invalid format: Not enough data/],
    ['0x1234', 1001, /^Extrinsic has invalid format: Not enough data/],
    [`0x${'ff'.repeat(200)}`, 1001, /^Extrinsic has invalid format: Not enough data/],
    ['0x0484ff', 1001, /^Extrinsic has invalid format: Input buffer has still data left/],
    ['0x00', 1002, /^Verification Error: Runtime error: Execution failed: /],
    ['0x0484', 1002, /^Verification Error: Runtime error: Execution failed: /],
  ])('%s is no extrinsic and hurts nothing', async (hex, code, message) => {
    const { error } = await rpc.ask('author_submitExtrinsic', hex)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await rpc.get('author_submitExtrinsic', rpc.transfer(ALICE, 0))).toMatch(/^0x/)
  })
})

describe('author_submitAndWatchExtrinsic', () => {
  const watch = (hex: string) => rpc.get('author_submitAndWatchExtrinsic', hex)

  test('the way of an extrinsic is told from ready to finalised, the id first', async () => {
    const hex = rpc.transfer(ALICE, 0)
    const id = await watch(hex)
    const { hash } = (await rpc.get('engine_createBlock', false, false)) as { hash: string }
    expect(rpc.heard(id)).toEqual(['ready', { inBlock: hash }, { finalized: hash }])
    expect(rpc.notices.every(({ method }) => method === 'author_extrinsicUpdate')).toBe(true)
    expect(await rpc.get('author_unwatchExtrinsic', id)).toBe(true)
    expect(await rpc.get('author_unwatchExtrinsic', id)).toBe(false)
  })

  test('a gap waits as future until it is filled, and all go in one block', async () => {
    const later = await watch(rpc.transfer(ALICE, 1))
    expect(rpc.heard(later)).toEqual(['future'])
    await watch(rpc.transfer(ALICE, 0))
    const { hash } = await rpc.chain.produce()
    expect(rpc.heard(later)).toEqual(['future', 'ready', { inBlock: hash }, { finalized: hash }])
  })

  test('finality is told when it comes, not before', async () => {
    const slow = await startRpcChain({ finality: 'manual' })
    const id = await slow.get('author_submitAndWatchExtrinsic', slow.transfer(ALICE, 0))
    const { hash } = await slow.chain.produce()
    expect(slow.heard(id)).toEqual(['ready', { inBlock: hash }])
    expect(await slow.get('engine_finalizeBlock', hash)).toBe(true)
    expect(slow.heard(id)).toEqual(['ready', { inBlock: hash }, { finalized: hash }])
    await slow.chain.close()
  })

  test('what is removed on request is told invalid', async () => {
    const hex = rpc.transfer(BOB, 0)
    const id = await watch(hex)
    expect(await rpc.get('author_removeExtrinsic', [{ hash: extrinsicHash(hex) }])).toEqual([extrinsicHash(hex)])
    expect(rpc.heard(id)).toEqual(['ready', 'invalid'])
  })

  test('a refused extrinsic starts no subscription', async () => {
    expect((await rpc.ask('author_submitAndWatchExtrinsic', rpc.transfer(POOR, 0))).error?.code).toBe(1010)
    await rpc.chain.produce()
    expect(rpc.notices).toEqual([])
  })
})

describe('subscriptions', () => {
  test('heads are told at once and with every block, until the end', async () => {
    const ids = await Promise.all(
      ['chain_subscribeNewHeads', 'chain_subscribeAllHeads', 'chain_subscribeFinalizedHeads'].map((m) => rpc.get(m)),
    )
    await rpc.chain.produce()
    await rpc.chain.produce()
    for (const id of ids) expect(rpc.heard(id)).toMatchObject([{ number: '0x0' }, { number: '0x1' }, { number: '0x2' }])
    await rpc.get('chain_unsubscribeNewHeads', ids[0])
    await rpc.chain.produce()
    expect(rpc.heard(ids[0]).length).toBe(3)
    expect(rpc.heard(ids[1]).length).toBe(4)
  })

  test('finalised heads leave none out when finality jumps', async () => {
    const slow = await startRpcChain({ finality: 'manual' })
    const id = await slow.get('chain_subscribeFinalizedHeads')
    for (let made = 0; made < 4; made += 1) await slow.chain.produce()
    expect(slow.heard(id)).toMatchObject([{ number: '0x0' }])
    await slow.get('engine_finalizeBlock', slow.chain.best().hash)
    expect(slow.heard(id)).toMatchObject(['0x0', '0x1', '0x2', '0x3', '0x4'].map((number) => ({ number })))
    await slow.chain.close()
  })

  test('storage is told at once and when a block changes it', async () => {
    const now = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb'
    const code = '0x3a636f6465'
    const moving = await rpc.get('state_subscribeStorage', [now])
    const still = await rpc.get('state_subscribeStorage', [`0x${'00'.repeat(4)}`])
    const { hash } = await rpc.chain.produce()
    expect(rpc.heard(moving)).toMatchObject([
      { block: rpc.chain.genesisHash, changes: [[now, null]] },
      { block: hash, changes: [[now, expect.stringMatching(/^0x/)]] },
    ])
    expect(rpc.heard(still).length).toBe(1)
    expect(await rpc.get('state_unsubscribeStorage', moving)).toBe(true)
    expect(await rpc.get('state_getStorageSize', code)).toBeGreaterThan(1_000)
  })

  test('the runtime version is told at once and not again while it stays', async () => {
    const id = await rpc.get('state_subscribeRuntimeVersion')
    await rpc.chain.produce()
    expect(rpc.heard(id)).toEqual([await rpc.get('state_getRuntimeVersion')])
  })

  test('nothing is sent after the connection has closed', async () => {
    const gone = rpc.client()
    await gone.get('chain_subscribeNewHeads')
    await gone.get('author_submitAndWatchExtrinsic', rpc.transfer(ALICE, 0))
    const before = gone.notices.length
    gone.session.close()
    await rpc.chain.produce()
    expect(gone.notices.length).toBe(before)
  })
})

describe('engine_createBlock', () => {
  test('an empty block is made only when it is allowed', async () => {
    expect((await rpc.ask('engine_createBlock', false, false)).error?.code).toBe(12_000)
    expect(await rpc.get('engine_createBlock', true, true)).toMatchObject({ hash: rpc.chain.best().hash })
    expect((await rpc.ask('engine_finalizeBlock', `0x${'12'.repeat(32)}`)).error?.code).toBe(13_000)
  })
})
