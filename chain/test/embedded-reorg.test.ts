import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@arbor/shared/hex'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Hex } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { slotOf } from '../src/embedded/header.ts'
import type { ChainEvent, Reorg, StoredBlock } from '../src/embedded/types.ts'
import { ALICE, BOB, createOffered, createSigner, freeBalance, startTestChain } from './support/embedded.ts'

const TAO = 1_000_000_000n

describe('reorganisation', () => {
  test('fork replaces the newest blocks, is one longer, and both branches are readable until finality', async () => {
    const offered = createOffered()
    const changes: Reorg[] = []
    const source = { ...offered, onReorg: (change: Reorg) => void changes.push(change) }
    const { chain } = await startTestChain({ finality: 'manual', source })
    const { sign } = createSigner(chain)
    const blocks = [await chain.produce(), await chain.produce()]
    const before = freeBalance(chain, BOB.publicKey)
    offered.offer(sign(ALICE, 0, 'balances', 'transferKeepAlive', BOB.address, TAO))
    for (let more = 0; more < 3; more += 1) blocks.push(await chain.produce())
    expect(freeBalance(chain, BOB.publicKey)).toBe(before + TAO)
    chain.finalize(2 as never)

    const heard: ChainEvent[] = []
    chain.onEvent((event) => void heard.push(event))
    const { retracted, enacted } = chain.reorg(3)
    expect(retracted).toEqual(blocks.slice(2).reverse())
    expect(changes).toEqual([{ retracted, enacted }])
    expect(enacted.map(({ header }) => header.number)).toEqual([3, 4, 5, 6])
    const chained = [blocks[1], ...enacted]
    expect(enacted.map(({ header }) => header.parentHash)).toEqual(chained.slice(0, -1).map((block) => block?.hash))
    const slots = (some: readonly StoredBlock[]) => some.map(({ header }) => slotOf(header) ?? 0)
    const replaced = slots(blocks.slice(2))
    expect(slots(enacted)).toEqual([...replaced, (replaced.at(-1) ?? 0) + 1])
    expect(new Set([...blocks, ...enacted].map(({ hash }) => hash)).size).toBe(9)
    expect(heard.map(({ kind, block }) => [kind, block.header.number])).toEqual([
      ['fork', 3],
      ['fork', 4],
      ['fork', 5],
      ['fork', 6],
      ['best', 6],
    ])
    const [best] = heard.slice(-1)
    if (best?.kind !== 'best') throw new Error('the last event is that of the best block')
    expect(best.retracted).toEqual(retracted)
    const old = blocks.at(-1)?.hash ?? '0x'
    const differing = best.changedKeys.filter(
      (key) =>
        toHex(chain.state(old).get(key) ?? new Uint8Array()) !==
        toHex(chain.state(best.block.hash).get(key) ?? new Uint8Array()),
    )
    expect(differing).toEqual(best.changedKeys)

    expect(chain.best()).toEqual(enacted.at(-1))
    expect(freeBalance(chain, BOB.publicKey)).toBe(before)
    expect(freeBalance(chain, BOB.publicKey, old)).toBe(before + TAO)
    expect([3, 4, 5].map((number) => chain.hashAt(number as never))).toEqual(
      enacted.slice(0, 3).map(({ hash }) => hash),
    )
    chain.finalize(4 as never)
    for (const { hash } of retracted) expect(() => chain.state(hash)).toThrow()
    expect((await chain.produce()).header.parentHash).toBe(enacted.at(-1)?.hash)
    await chain.close()
  })

  test('chain may reorganise again and again, and stands where it stood when its folder is opened', async () => {
    const data = mkdtempSync(join(tmpdir(), 'arbor-reorg-'))
    const clock = createManualClock()
    const { chain } = await startTestChain({ finality: 'manual', data, clock })
    for (let number = 0; number < 8; number += 1) await chain.produce()
    const started = slotOf(chain.block(chain.hashAt(1 as never) ?? '0x')?.header ?? chain.best().header)
    for (const depth of [1, 9, 3, 3, 5]) chain.reorg(depth)
    expect(slotOf(chain.block(chain.hashAt(1 as never) ?? '0x')?.header ?? chain.best().header)).toBe(started)
    const hashes: (Hex | null)[] = []
    for (let number = 0; number <= chain.best().header.number; number += 1) hashes.push(chain.hashAt(number as never))
    await chain.close()
    const again = await startTestChain({ finality: 'manual', data, clock })
    expect(again.chain.best().hash).toBe(hashes.at(-1))
    expect(hashes.map((_, number) => again.chain.hashAt(number as never))).toEqual(hashes)
    again.chain.finalize(10 as never)
    expect((await again.chain.produce()).header.number).toBe(hashes.length)
    await again.chain.close()
    rmSync(data, { recursive: true })
  })

  test.each([
    { finality: 'instant', depth: 1 },
    { finality: 'manual', depth: 4 },
    { finality: 'manual', depth: 0 },
    { finality: 'manual', depth: 1.5 },
  ] as const)('depth $depth is refused with $finality finality when it would take off a final block, or none', async (of) => {
    const { chain } = await startTestChain({ finality: of.finality })
    for (let number = 0; number < 4; number += 1) await chain.produce()
    if (of.finality === 'manual') chain.finalize(1 as never)
    const best = chain.best()
    expect(() => chain.reorg(of.depth)).toThrow(expect.objectContaining({ code: 'CHAIN_REORG_REFUSED' }))
    expect(chain.best()).toEqual(best)
    await chain.close()
  })
})
