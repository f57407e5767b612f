import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync } from 'node:zlib'
import { toHex } from '@arbor/shared/hex'
import { createManualClock } from '@arbor/shared/manual-clock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { reader } from '../src/embedded/scale.ts'
import { openDatabase } from '../src/embedded/store/open.ts'
import { createStore } from '../src/embedded/store/store.ts'
import { verifyAll } from '../src/embedded/verify.ts'
import { ALICE, BOB, createSigner, freeBalance, startTestChain, WASM } from './support/embedded.ts'

const TAO = 1_000_000_000n
const CODE = new TextEncoder().encode(':code')
let data = ''

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'arbor-chain-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

describe('history', () => {
  test('state of each block stays readable within the retention, and is refused beyond', async () => {
    const { chain, source } = await startTestChain({ keep: 100 })
    const { sign } = createSigner(chain)
    const balances = [freeBalance(chain, BOB.publicKey)]
    for (let number = 1; number <= 150; number += 1) {
      if (number % 10 === 0)
        source.offer(sign(ALICE, number / 10 - 1, 'balances', 'transferKeepAlive', BOB.address, TAO))
      await chain.produce()
      balances.push((balances.at(-1) ?? 0n) + (number % 10 === 0 ? TAO : 0n))
    }
    for (const number of [50, 51, 59, 60, 85, 86, 87, 120, 150]) {
      const hash = chain.hashAt(number as never) ?? '0x'
      expect([number, freeBalance(chain, BOB.publicKey, hash)]).toEqual([number, balances[number]])
      expect(chain.call('Core_version', new Uint8Array(), hash).length).toBeGreaterThan(0)
    }
    expect(() => chain.state(chain.hashAt(49 as never) ?? '0x')).toThrow(
      expect.objectContaining({ code: 'CHAIN_STATE_PRUNED' }),
    )
    expect(() => chain.state(`0x${'11'.repeat(32)}`)).toThrow(expect.objectContaining({ code: 'CHAIN_UNKNOWN_BLOCK' }))
    await chain.close()
  })

  test('keys are listed in order, from the start key on, as they were at the block', async () => {
    const { chain } = await startTestChain()
    await chain.produce()
    const state = chain.state(chain.genesisHash)
    const all = state.keys(new Uint8Array(), { count: 100_000 })
    const hex = all.map(toHex)
    expect(hex).toEqual([...new Set(hex)].sort())
    const [first] = all
    const prefix = (first ?? new Uint8Array()).subarray(0, 16)
    const under = state.keys(prefix, { count: 1_000 })
    expect(under.map(toHex)).toEqual(hex.filter((key) => key.startsWith(toHex(prefix))))
    const paged: string[] = []
    for (let page = state.keys(new Uint8Array(), { count: 7 }); page.length > 0; ) {
      paged.push(...page.map(toHex))
      page = state.keys(new Uint8Array(), { count: 7, startKey: page.at(-1) ?? new Uint8Array() })
    }
    expect(paged).toEqual(hex)
    await chain.close()
  })
})

describe('store', () => {
  test('chain continues where it stood when its folder is opened again', async () => {
    const clock = createManualClock()
    const first = await startTestChain({ data, clock, finality: 'manual' })
    const { sign } = createSigner(first.chain)
    first.source.offer(sign(ALICE, 0, 'balances', 'transferKeepAlive', BOB.address, TAO))
    for (let number = 1; number <= 80; number += 1) await first.chain.produce()
    first.chain.finalize(78 as never)
    const { genesisHash } = first.chain
    const best = first.chain.best()
    const old = freeBalance(first.chain, BOB.publicKey, genesisHash)
    await first.chain.close()

    const { chain } = await startTestChain({ data, clock, finality: 'manual' })
    expect(chain.best()).toEqual(best)
    expect(chain.finalized().header.number).toBe(78)
    expect(freeBalance(chain, BOB.publicKey)).toBe(old + TAO)
    expect(freeBalance(chain, BOB.publicKey, genesisHash)).toBe(old)
    expect((await chain.produce()).header).toMatchObject({ number: 81, parentHash: best.hash })
    await chain.close()
  })

  test('folder of another genesis is refused and left as it is', async () => {
    const first = await startTestChain({ data })
    await first.chain.produce()
    const { genesisHash } = first.chain
    await first.chain.close()
    await expect(startTestChain({ data, preset: 'local_testnet' })).rejects.toMatchObject({
      code: 'CHAIN_OTHER_GENESIS',
    })
    const { chain } = await startTestChain({ data })
    expect([chain.genesisHash, chain.best().header.number]).toEqual([genesisHash, 1])
    await chain.close()
  })

  test('chain goes on with its own runtime when another blob is given, and its settings may come in any order', async () => {
    const patch = { blockTime: { slotDurationMs: 2_000 }, balances: { devAccounts: null } }
    const first = await startTestChain({ data, patch })
    await first.chain.produce()
    const { genesisHash } = first.chain
    await first.chain.close()
    const wasm = Uint8Array.from([...WASM, 0, 2, 1, 0x78]) // one more custom section
    const again = { balances: { devAccounts: null }, blockTime: { slotDurationMs: 2_000 } }
    const { chain } = await startTestChain({ data, wasm, patch: again })
    expect(chain.genesisHash).toBe(genesisHash)
    expect((await chain.produce()).header.number).toBe(2)
    expect(chain.state(chain.best().hash).get(CODE)).toEqual(WASM)
    await chain.close()
  })

  test('wrong settings leave an empty folder empty', async () => {
    await expect(startTestChain({ data, preset: 'nope' })).rejects.toMatchObject({ code: 'CHAIN_GENESIS' })
    expect(readdirSync(data)).toEqual([])
  })

  test('folder in use is refused, and free again when the chain is closed', async () => {
    const first = await startTestChain({ data })
    await expect(startTestChain({ data })).rejects.toMatchObject({ code: 'CHAIN_FOLDER_IN_USE' })
    await first.chain.close()
    const second = await startTestChain({ data })
    await second.chain.close()
  })

  test('chain stands at the block before when a block cannot be written', async () => {
    const path = join(data, 'chain.sqlite')
    const first = await startTestChain({ data })
    await first.chain.produce()
    await first.chain.close()
    const database = new DatabaseSync(path)
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON blocks WHEN NEW.number = 3 BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
    )
    database.close()
    const { chain } = await startTestChain({ data })
    await chain.produce()
    await expect(chain.produce()).rejects.toMatchObject({ code: 'CHAIN_NOT_WRITTEN' })
    expect(chain.best().header.number).toBe(2)
    await chain.close()
    const third = await startTestChain({ data })
    expect(third.chain.best().header.number).toBe(2)
    await third.chain.close()
  })

  test('changed top of the state is noticed when the folder is opened', async () => {
    const first = await startTestChain({ data })
    await first.chain.produce()
    await first.chain.close()
    const database = new DatabaseSync(join(data, 'chain.sqlite'))
    database.exec("UPDATE nodes SET body = x'0000' WHERE id = (SELECT root FROM blocks WHERE number = 1)")
    database.close()
    await expect(startTestChain({ data })).rejects.toMatchObject({ code: 'CHAIN_DATA_CORRUPT' })
  })

  test('chain goes on from the newest whole block when those above the final one are damaged, and not when that one is', async () => {
    const first = await startTestChain({ data, finality: 'manual' })
    const hashes = [first.chain.genesisHash]
    for (let number = 1; number <= 8; number += 1) hashes.push((await first.chain.produce()).hash)
    first.chain.finalize(4 as never)
    await first.chain.close()
    const harm = (number: number): void => {
      const database = new DatabaseSync(join(data, 'chain.sqlite'))
      database.exec(`UPDATE nodes SET body = x'0000' WHERE id = (SELECT root FROM blocks WHERE number = ${number})`)
      database.close()
    }
    harm(8)
    const database = new DatabaseSync(join(data, 'chain.sqlite'))
    database.exec("UPDATE blocks SET header = x'ffff' WHERE number = 7")
    database.close()
    const { chain } = await startTestChain({ data, finality: 'manual' })
    expect([chain.best().hash, chain.finalized().hash]).toEqual([hashes[6], hashes[4]])
    const next = await chain.produce()
    expect(next.header).toMatchObject({ number: 7, parentHash: hashes[6] })
    chain.finalize(7 as never)
    await chain.close()
    harm(7)
    await expect(startTestChain({ data, finality: 'manual' })).rejects.toMatchObject({ code: 'CHAIN_DATA_CORRUPT' })
  })

  test('changed value deep in the state is noticed when it is read, and by the full check', async () => {
    const first = await startTestChain({ data })
    await first.chain.produce()
    const account = createSigner(first.chain).query['system']?.['account']?.(BOB.publicKey)
    const key = reader(account ?? new Uint8Array()).vec()
    const value = first.chain.state(first.chain.best().hash).get(key) ?? new Uint8Array()
    await first.chain.close()
    const database = new DatabaseSync(join(data, 'chain.sqlite'))
    // Several accounts have the same value: all of them get richer.
    for (const { id, body } of database.prepare('SELECT id, body FROM nodes').all()) {
      const at = Buffer.from(body as Uint8Array).indexOf(Buffer.from(value))
      if (at < 0) continue
      const changed = Buffer.from(body as Uint8Array)
      changed[at + 20] = 0xff
      database.prepare('UPDATE nodes SET body = ? WHERE id = ?').run(changed, Number(id))
    }
    database.close()
    const { chain } = await startTestChain({ data })
    expect(() => freeBalance(chain, BOB.publicKey)).toThrow(expect.objectContaining({ code: 'CHAIN_DATA_CORRUPT' }))
    await chain.close()
    const store = createStore(openDatabase(data), { keep: 256 })
    expect(() => verifyAll(store)).toThrow(expect.objectContaining({ code: 'CHAIN_DATA_CORRUPT' }))
    store.close()
  })

  test('full check counts keys and blocks when the chain is whole', async () => {
    const { chain } = await startTestChain({ data, keep: 5 })
    for (let number = 1; number <= 20; number += 1) await chain.produce()
    const keys = chain.state(chain.best().hash).keys(new Uint8Array(), { count: 100_000 }).length
    await chain.close()
    const store = createStore(openDatabase(data), { keep: 5 })
    expect(verifyAll(store)).toMatchObject({ keys, blocks: 6 })
    store.close()
  })

  test('old blocks go with their states, and their numbers and hashes stay known', async () => {
    const { chain } = await startTestChain({ data, keep: 10 })
    const hashes = [chain.genesisHash]
    for (let number = 1; number <= 60; number += 1) hashes.push((await chain.produce()).hash)
    await chain.close()
    const again = await startTestChain({ data, keep: 10 })
    hashes.forEach((hash, number) => {
      expect(again.chain.hashAt(number as never)).toBe(hash)
      expect(again.chain.numberOf(hash)).toBe(number)
      expect([number, again.chain.block(hash) !== null]).toEqual([number, number === 0 || number >= 50])
    })
    expect(() => again.chain.state(hashes[49] ?? '0x')).toThrow(expect.objectContaining({ code: 'CHAIN_STATE_PRUNED' }))
    expect(again.chain.state(hashes[50] ?? '0x').get(CODE)).toEqual(WASM)
    await again.chain.close()
  })

  test('chain that kept everything catches up when it is to keep less', async () => {
    const { chain } = await startTestChain({ data, keep: 'archive' })
    for (let number = 1; number <= 50; number += 1) await chain.produce()
    expect(chain.state(chain.genesisHash).get(CODE)).toEqual(WASM)
    await chain.close()
    const again = await startTestChain({ data, keep: 4 })
    for (let number = 1; number <= 6; number += 1) await again.chain.produce()
    const stateOf = (number: number) => again.chain.state(again.chain.hashAt(number as never) ?? '0x')
    expect(() => stateOf(51)).toThrow(expect.objectContaining({ code: 'CHAIN_STATE_PRUNED' }))
    expect(stateOf(52).get(CODE)).toEqual(WASM)
    await again.chain.close()
  })

  test('folder of a newer Arbor is refused', async () => {
    const database = new DatabaseSync(join(data, 'chain.sqlite'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(startTestChain({ data })).rejects.toMatchObject({ code: 'CHAIN_DATA_VERSION' })
  })

  test('folder of an older Arbor is refused', async () => {
    const database = new DatabaseSync(join(data, 'chain.sqlite'))
    database.exec('PRAGMA user_version = 1')
    database.close()
    await expect(startTestChain({ data })).rejects.toMatchObject({ code: 'CHAIN_DATA_VERSION' })
  })

  test.each([
    { what: 'has other bytes in its head', harm: (file: Buffer) => file.fill(0x5a, 0, 100) },
    { what: 'has other bytes in its tables', harm: (file: Buffer) => file.fill(0x5a, 4_096, 40_000) },
    { what: 'is cut off', harm: (file: Buffer) => file.subarray(0, 20_000) },
  ])('database that $what is refused', async ({ harm }) => {
    const first = await startTestChain({ data })
    await first.chain.produce()
    await first.chain.close()
    const path = join(data, 'chain.sqlite')
    writeFileSync(path, harm(readFileSync(path)))
    await expect(startTestChain({ data })).rejects.toMatchObject({ code: 'CHAIN_DATA_CORRUPT' })
  })

  test('folder that is a file is refused', async () => {
    await expect(startTestChain({ data: import.meta.filename })).rejects.toMatchObject({ code: 'CHAIN_FOLDER' })
  })
})

describe('runtime upgrade', () => {
  test('chain runs on the new code from the next block on when the runtime replaces itself', async () => {
    const first = await startTestChain({ data })
    const { sign, tx } = createSigner(first.chain)
    // The same runtime with one more custom section ("x"), compressed as Substrate does: another code, another hash.
    const section = Uint8Array.of(0, 2, 1, 0x78)
    const magic = Uint8Array.of(82, 188, 83, 118, 70, 219, 142, 5)
    const code = Uint8Array.from(Buffer.concat([magic, zstdCompressSync(Buffer.concat([WASM, section]))]))
    const setCode = tx['system']?.['setCodeWithoutChecks']?.(toHex(code))
    first.source.offer(sign(ALICE, 0, 'sudo', 'sudoUncheckedWeight', setCode, { refTime: 0, proofSize: 0 }))
    const block = await first.chain.produce()
    expect(toHex(first.chain.state(block.hash).get(CODE) ?? new Uint8Array())).toBe(toHex(code))
    expect(block.header.digest.some((item) => item === '0x08')).toBe(true) // RuntimeEnvironmentUpdated
    expect(first.chain.state(first.chain.genesisHash).get(CODE)).toEqual(WASM)
    for (let number = 2; number <= 5; number += 1) await first.chain.produce()
    await first.chain.close()
    const { chain } = await startTestChain({ data })
    expect((await chain.produce()).header.number).toBe(6)
    await chain.close()
  })

  test('code that cannot run is refused by the runtime that asks for its version', async () => {
    const { chain, source } = await startTestChain()
    const { sign, tx } = createSigner(chain)
    const setCode = tx['system']?.['setCode']?.('0x0061736d01000000')
    source.offer(sign(ALICE, 0, 'sudo', 'sudoUncheckedWeight', setCode, { refTime: 0, proofSize: 0 }))
    await chain.produce()
    expect(chain.state(chain.best().hash).get(CODE)).toEqual(WASM)
    expect((await chain.produce()).header.number).toBe(2)
    await chain.close()
  })
})
