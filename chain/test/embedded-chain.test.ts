import { fromHex, toHex } from '@arbor/shared/hex'
import { createManualClock } from '@arbor/shared/manual-clock'
import { verifySignature } from '@arbor/shared/verify-signature'
import { describe, expect, test } from 'vitest'
import { buildBlock, checkBlock } from '../src/embedded/author.ts'
import { buildGenesis } from '../src/embedded/genesis.ts'
import { blake256, initHashes } from '../src/embedded/hash.ts'
import { decodeHeader, encodeHeader, hashHeader, slotDigest, slotOf } from '../src/embedded/header.ts'
import { createRuntimes } from '../src/embedded/runtime/runtimes.ts'
import type { Header } from '../src/embedded/types.ts'
import { ALICE, BOB, createSigner, eventsOf, freeBalance, startTestChain, WASM } from './support/embedded.ts'

const TAO = 1_000_000_000n

/** One-second slots, so that slot and timestamp above belong together. */
const genesisOf = async () => {
  await initHashes()
  const runtime = createRuntimes({}).ofCode(WASM)
  const patch = { blockTime: { slotDurationMs: 1_000 } }
  const { trie, header } = buildGenesis({ executor: runtime.executor, wasm: WASM, preset: 'development', patch })
  return { runtime, trie, parent: { hash: hashHeader(header), header, extrinsics: [] } }
}

describe('embedded chain', () => {
  test('chain stays one chain when it makes 200 blocks that are all executed again', async () => {
    const { chain } = await startTestChain()
    let parent = chain.best()
    for (let number = 1; number <= 200; number += 1) {
      const block = await chain.produce()
      expect(block.header).toMatchObject({ number, parentHash: parent.hash })
      expect(block.hash).toBe(hashHeader(block.header))
      parent = block
    }
    expect(chain.finalized().header.number).toBe(200)
    expect(chain.hashAt(137 as never)).toBe(chain.block(chain.hashAt(137 as never) ?? '0x')?.hash)
    await chain.close()
  })

  test('headers decode to what they were when encoded', async () => {
    const { chain } = await startTestChain()
    const { header } = await chain.produce()
    expect(decodeHeader(encodeHeader(header))).toEqual(header)
    await chain.close()
  })

  test("seal is the author's signature of the header without it, as importing nodes demand", async () => {
    const { chain } = await startTestChain()
    const { header } = await chain.produce()
    const seal = header.digest.at(-1) ?? '0x'
    const hash = blake256(encodeHeader({ ...header, digest: header.digest.slice(0, -1) }))
    expect(seal.startsWith(`0x05${Buffer.from('aura').toString('hex')}0101`)).toBe(true)
    expect(verifySignature(ALICE.publicKey, hash, fromHex(`0x${seal.slice(-128)}`))).toBe(true)
    await chain.close()
  })

  test.each([
    { what: 'another state root', tamper: (header: Header) => ({ ...header, stateRoot: header.parentHash }) },
    { what: 'another extrinsics root', tamper: (header: Header) => ({ ...header, extrinsicsRoot: header.parentHash }) },
    { what: 'another slot than its timestamp', tamper: (header: Header) => ({ ...header, digest: [slotDigest(7)] }) },
  ])('block is refused by the second execution when its header states $what', async ({ tamper }) => {
    const { runtime, trie, parent } = await genesisOf()
    const built = buildBlock({
      runtime,
      parent,
      parentTrie: trie,
      slot: 1_800_000_000,
      timestamp: 1_800_000_000_000,
      ready: [],
      hasTime: () => true,
      authority: ALICE,
    })
    expect(() => checkBlock({ runtime, parentTrie: trie, built })).not.toThrow()
    const tampered = { ...built, unsealed: tamper(built.unsealed) }
    expect(() => checkBlock({ runtime, parentTrie: trie, built: tampered })).toThrow(
      expect.objectContaining({ code: 'CHAIN_BLOCK_REFUSED' }),
    )
  })

  test('slots are those of the clock, and never stand still when blocks come faster', async () => {
    const clock = createManualClock(1_800_000_000_500)
    const { chain } = await startTestChain({ clock, patch: { blockTime: { slotDurationMs: 1_000 } } })
    expect(slotOf((await chain.produce()).header)).toBe(1_800_000_000)
    expect(slotOf((await chain.produce()).header)).toBe(1_800_000_001)
    await clock.advance(60_000)
    expect(slotOf((await chain.produce()).header)).toBe(1_800_000_060)
    await chain.close()
  })

  test('transfer moves the balance when its extrinsic is included', async () => {
    const { chain, source } = await startTestChain()
    const { sign } = createSigner(chain)
    const before = freeBalance(chain, BOB.publicKey)
    const extrinsic = sign(ALICE, 0, 'balances', 'transferKeepAlive', BOB.address, 5n * TAO)
    expect(chain.validate(extrinsic)).toMatchObject({ valid: true })
    source.offer(extrinsic)
    const block = await chain.produce()
    expect(block.extrinsics.map(toHex)).toContain(toHex(extrinsic))
    expect(freeBalance(chain, BOB.publicKey)).toBe(before + 5n * TAO)
    expect(freeBalance(chain, BOB.publicKey, chain.genesisHash)).toBe(before)
    expect(eventsOf(chain)).toContain('system.ExtrinsicSuccess')
    await chain.close()
  })

  test('failed call leaves nothing but its fee when it is rolled back', async () => {
    const { chain, source } = await startTestChain()
    const { sign, tx } = createSigner(chain)
    const transfers = [3n * TAO, 1_000_000n * TAO].map((amount) =>
      tx['balances']?.['transferKeepAlive']?.(BOB.address, amount),
    )
    const before = { alice: freeBalance(chain, ALICE.publicKey), bob: freeBalance(chain, BOB.publicKey) }
    source.offer(sign(ALICE, 0, 'utility', 'batchAll', transfers))
    await chain.produce()
    expect(eventsOf(chain)).toContain('system.ExtrinsicFailed')
    expect(freeBalance(chain, BOB.publicKey)).toBe(before.bob)
    const paid = before.alice - freeBalance(chain, ALICE.publicKey)
    expect(paid > 0n && paid < TAO).toBe(true)
    await chain.close()
  })

  test('extrinsics with a wrong signature or nonce are refused with their reason, the others are included', async () => {
    const { chain, source } = await startTestChain()
    const { sign } = createSigner(chain)
    const forged = sign(ALICE, 1, 'system', 'remark', '0x01')
    forged[forged.length - 1] = 2 // another remark than was signed
    const [bad, stale] = [forged, sign(ALICE, 0, 'system', 'remark', '0x02')].map((extrinsic, index) => ({
      extrinsic,
      index,
    }))
    source.offer(sign(ALICE, 0, 'system', 'remark', '0x00'))
    const hashes = [bad, stale].map((entry) => source.offer(entry?.extrinsic ?? new Uint8Array()))
    source.offer(sign(BOB, 0, 'system', 'remark', '0x03'))
    const block = await chain.produce()
    expect(block.extrinsics).toHaveLength(1 + 2)
    expect(hashes.map((hash) => source.refused.get(hash))).toEqual([
      { valid: false, kind: 'invalid', index: 4, custom: null }, // BadProof
      { valid: false, kind: 'invalid', index: 3, custom: null }, // Stale
    ])
    await chain.close()
  })

  test('refused extrinsic leaves no trace in the block, also when it is the last one that was tried', async () => {
    const { chain, source } = await startTestChain()
    const { sign } = createSigner(chain)
    source.offer(sign(ALICE, 0, 'system', 'remark', '0x00'))
    const hash = source.offer(sign(BOB, 7, 'system', 'remark', '0x03')) // a nonce of later
    const block = await chain.produce()
    expect(source.refused.get(hash)).toMatchObject({ valid: false })
    expect(block.extrinsics).toHaveLength(1 + 1)
    source.offer(sign(ALICE, 0, 'subtensorModule', 'setWeights', 0, [], [], 0))
    expect((await chain.produce()).header.number).toBe(2)
    await chain.close()
  })

  test('chain goes on when a malformed extrinsic makes the runtime panic', async () => {
    const { chain, source } = await startTestChain()
    const hash = source.offer(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0xff))
    await chain.produce()
    expect(source.refused.get(hash)).toMatchObject({ valid: false })
    expect((await chain.produce()).header.number).toBe(2)
    expect(() => chain.validate(Uint8Array.of(0x10, 0xff))).toThrow(
      expect.objectContaining({ code: 'CHAIN_RUNTIME_TRAP' }),
    )
    await chain.close()
  })

  test('listeners hear of best and final blocks with the keys that changed', async () => {
    const { chain } = await startTestChain({ finality: 'manual' })
    const heard: [string, number, boolean][] = []
    const off = chain.onEvent((event) => {
      const { kind, block } = event
      if (event.kind !== 'best') return void heard.push([kind, block.header.number, false])
      const { changedKeys } = event
      const values = changedKeys.map((key) => chain.state(block.header.parentHash).get(key) ?? null)
      const after = changedKeys.map((key) => chain.state(block.hash).get(key) ?? null)
      heard.push([
        kind,
        block.header.number,
        changedKeys.length > 0 &&
          values.every((value, at) => value === null || toHex(value) !== toHex(after[at] ?? new Uint8Array())),
      ])
    })
    chain.onEvent(() => {
      throw new Error('a listener that fails')
    })
    await chain.produce()
    await chain.produce()
    chain.finalize(2 as never)
    off()
    await chain.produce()
    expect(heard).toEqual([
      ['best', 1, true],
      ['best', 2, true],
      ['finalized', 1, false],
      ['finalized', 2, false],
    ])
    expect(chain.finalized().header.number).toBe(2)
    expect(() => chain.finalize(9 as never)).toThrow(expect.objectContaining({ code: 'CHAIN_UNKNOWN_BLOCK' }))
    await chain.close()
  })

  test('closed chain refuses to make blocks', async () => {
    const { chain } = await startTestChain()
    await chain.close()
    await expect(chain.produce()).rejects.toMatchObject({ code: 'CHAIN_CLOSED' })
  })
})
