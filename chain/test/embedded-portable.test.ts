import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createManualClock } from '@arbor/shared/manual-clock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectFolder, withStore } from '../src/embedded/inspect.ts'
import { exportStore } from '../src/embedded/portable/export.ts'
import { importFolder } from '../src/embedded/portable/import.ts'
import { verifyAll } from '../src/embedded/verify.ts'
import { ALICE, BOB, createSigner, freeBalance, startTestChain } from './support/embedded.ts'

const TAO = 1_000_000_000n
let folder = ''
let data = ''
let file = ''
let target = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-portable-'))
  data = join(folder, 'chain')
  file = join(folder, 'chain.export')
  target = join(folder, 'other')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Makes a chain of `blocks` blocks with a transfer in every fifth one. */
const makeChain = async ({ blocks, final, keep }: { blocks: number; final: number; keep: number }) => {
  const clock = createManualClock()
  const { chain, source } = await startTestChain({ data, clock, keep, finality: 'manual' })
  const { sign } = createSigner(chain)
  for (let number = 1; number <= blocks; number += 1) {
    if (number % 5 === 0) source.offer(sign(ALICE, number / 5 - 1, 'balances', 'transferKeepAlive', BOB.address, TAO))
    await chain.produce()
    chain.finalize(Math.min(number, final) as never)
  }
  const told = { best: chain.best(), balance: freeBalance(chain, BOB.publicKey), genesis: chain.genesisHash }
  await chain.close()
  return { ...told, clock }
}

const exportNow = () => withStore(data, (store) => exportStore(store, file))

describe('export and import', () => {
  test('imported chain has the same head, states and hashes, and goes on, when states were pruned and blocks are open', async () => {
    const { best, balance, genesis, clock } = await makeChain({ blocks: 60, final: 57, keep: 20 })
    const exported = await exportNow()
    expect(exported).toMatchObject({ base: { number: 40 }, best: { number: 60, hash: best.hash }, finalized: 57 })
    const before = await inspectFolder(data, { verify: false })
    await importFolder(file, target)
    const { bytes: _, verified, ...after } = await inspectFolder(target, { verify: true })
    const { bytes: __, verified: ___, ...wanted } = before
    expect(after).toEqual(wanted)
    expect(verified?.keys).toBe(before.keys)
    expect(readdirSync(target)).toEqual(['chain.sqlite'])

    const { chain } = await startTestChain({ data: target, clock, keep: 20, finality: 'manual' })
    const origin = await startTestChain({ data, clock, keep: 20, finality: 'manual' })
    expect([chain.genesisHash, chain.best(), chain.finalized().header.number]).toEqual([genesis, best, 57])
    expect(freeBalance(chain, BOB.publicKey)).toBe(balance)
    for (const number of [0, 1, 33, 40, 41, 55, 60]) {
      const hash = origin.chain.hashAt(number as never) ?? '0x'
      expect(chain.hashAt(number as never)).toBe(hash)
      if (number > 40)
        expect(freeBalance(chain, BOB.publicKey, hash)).toBe(freeBalance(origin.chain, BOB.publicKey, hash))
    }
    // The same slot, the same parent, the same author: but for the seal's randomness, the same block.
    const [next, original] = [await chain.produce(), await origin.chain.produce()]
    expect(next.header.stateRoot).toBe(original.header.stateRoot)
    expect(next.header.number).toBe(61)
    await chain.close()
    await origin.chain.close()
    await withStore(target, (store) => verifyAll(store))
  })

  test('chain that was never pruned is executed again from its first block', async () => {
    const { best } = await makeChain({ blocks: 12, final: 12, keep: 256 })
    expect((await exportNow()).base.number).toBe(0)
    await importFolder(file, target)
    expect(await inspectFolder(target, { verify: true })).toMatchObject({ head: best.hash, keptFrom: 0 })
  })

  test.each([
    { what: 'is cut off', harm: (bytes: Buffer) => bytes.subarray(0, bytes.length - 1_000) },
    { what: 'is cut off within its first line', harm: (bytes: Buffer) => bytes.subarray(0, 10) },
    { what: 'is empty', harm: () => Buffer.alloc(0) },
    { what: 'has one other bit', harm: (bytes: Buffer) => flip(bytes, bytes.length >> 1) },
    { what: 'has another head under a right checksum', harm: (bytes: Buffer) => resealed(bytes, '"keys":', '"keis":') },
    {
      what: 'has another state under a right checksum',
      harm: (bytes: Buffer) => sealed(flip(bytes, bytes.length >> 1)),
    },
    {
      what: 'has another last block under a right checksum',
      harm: (bytes: Buffer) => sealed(flip(bytes, bytes.length - 80)),
    },
    {
      what: 'lacks its end under a right checksum',
      harm: (bytes: Buffer) => sealed(bytes.subarray(0, bytes.length - 5)),
    },
  ])('file that $what is refused, and leaves nothing behind', async ({ harm }) => {
    await makeChain({ blocks: 12, final: 10, keep: 4 })
    await exportNow()
    writeFileSync(file, harm(readFileSync(file)))
    await expect(importFolder(file, target)).rejects.toMatchObject({ code: 'CHAIN_IMPORT_REFUSED' })
    expect(existsSync(target)).toBe(false)
    mkdirSync(target)
    await expect(importFolder(file, target)).rejects.toMatchObject({ code: 'CHAIN_IMPORT_REFUSED' })
    expect(readdirSync(target)).toEqual([])
  })

  test('folder that holds a chain is left alone, and what an import that was killed left is cleared away', async () => {
    const { best } = await makeChain({ blocks: 3, final: 3, keep: 256 })
    await exportNow()
    await expect(importFolder(file, data)).rejects.toMatchObject({ code: 'CHAIN_FOLDER_NOT_EMPTY' })
    mkdirSync(join(target, 'importing'), { recursive: true })
    writeFileSync(join(target, 'importing', 'chain.sqlite'), 'half of something')
    await importFolder(file, target)
    expect(await inspectFolder(target, { verify: true })).toMatchObject({ head: best.hash })
  })

  test('export of a folder without a chain, and to a place that cannot be written, is refused', async () => {
    await expect(exportNow()).rejects.toMatchObject({ code: 'CHAIN_NO_DATA' })
    await makeChain({ blocks: 1, final: 1, keep: 256 })
    file = join(folder, 'absent', 'chain.export')
    await expect(exportNow()).rejects.toMatchObject({ code: 'CHAIN_FILE' })
    await expect(importFolder(file, target)).rejects.toMatchObject({ code: 'CHAIN_FILE' })
  })
})

const flip = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

/** Gives a changed file a checksum that is right. */
const sealed = (bytes: Buffer): Buffer => {
  const body = bytes.subarray(0, bytes.length - 32)
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

const resealed = (bytes: Buffer, from: string, to: string): Buffer => {
  const changed = Buffer.from(bytes)
  changed.write(to, changed.indexOf(from))
  return sealed(changed)
}
