import { toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { blake256, initHashes } from '../src/embedded/hash.ts'
import { hashHeader } from '../src/embedded/header.ts'
import { toKey } from '../src/embedded/key.ts'
import { createNodes } from '../src/embedded/store/nodes.ts'
import { openDatabase } from '../src/embedded/store/open.ts'
import { createStore } from '../src/embedded/store/store.ts'
import { trieDiff } from '../src/embedded/trie/diff.ts'
import { trieEdit } from '../src/embedded/trie/edit.ts'
import { openNode, type Trie } from '../src/embedded/trie/node.ts'
import { trieEntries, trieGet } from '../src/embedded/trie/read.ts'
import { trieRoot } from '../src/embedded/trie/root.ts'
import type { Header, StoredBlock } from '../src/embedded/types.ts'

beforeAll(initHashes)

const key = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xf0), { maxLength: 4 })
  .map((bytes) => toKey(Uint8Array.from(bytes)))
const changes = fc.array(fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 70 }), { nil: undefined, freq: 3 })), {
  maxLength: 12,
})
/** One step: a block on the best one, a fork of some blocks, or finality. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('grow' as const), changes }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reorg' as const),
      depth: fc.integer({ min: 1, max: 4 }),
      branch: fc.array(changes, { minLength: 5, maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('finalize' as const), back: fc.integer({ min: 0, max: 5 }) }) },
)

type State = ReadonlyMap<string, string>

describe('store with forks', () => {
  test('kept states are those of a model, and nothing else is kept, through growth, forks, finality and pruning', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (steps, keep) => {
        const database = openDatabase(null)
        // The smallest cache: nearly every read goes to the rows.
        const store = createStore(database, { keep, cacheBytes: 2_000 })
        const states = new Map<Hex, State>()
        const blocks = new Map<Hex, StoredBlock>()
        let salt = 0

        const grow = (
          parent: StoredBlock | null,
          batch: readonly (readonly [string, Uint8Array | undefined])[],
          best: boolean,
        ) => {
          const before = parent === null ? undefined : store.state(parent.hash)
          const retired: number[] = []
          const trie = trieEdit(before, batch, 1, retired)
          const state = new Map(parent === null ? [] : states.get(parent.hash))
          for (const [name, value] of batch) {
            if (value === undefined) state.delete(name)
            else state.set(name, toHex(value))
          }
          salt += 1
          const header: Header = {
            parentHash: parent?.hash ?? `0x${'00'.repeat(32)}`,
            number: (parent === null ? 0 : parent.header.number + 1) as Block,
            stateRoot: toHex(trieRoot(trie)),
            // Nobody decodes it here: it makes blocks of forks differ.
            extrinsicsRoot: `0x${salt.toString(16).padStart(64, '0')}`,
            digest: [],
          }
          const block: StoredBlock = { hash: hashHeader(header), header, extrinsics: [] }
          states.set(block.hash, state)
          blocks.set(block.hash, block)
          store.add({ block, trie, retired, keys: state.size }, { best, final: parent === null })
          return block
        }

        let best = grow(null, [['\x01', Uint8Array.of(1)]], true)
        for (const next of steps) {
          const finalized = store.finalizedNumber()
          if (next.kind === 'grow') best = grow(best, next.changes, true)
          else if (next.kind === 'finalize') store.finalize(Math.max(finalized, best.header.number - next.back))
          else {
            const depth = Math.min(next.depth, best.header.number - finalized)
            if (depth < 1) continue
            const old = best
            let parent = best
            for (let up = 0; up < depth; up += 1) parent = blocks.get(parent.header.parentHash) ?? parent
            for (const batch of next.branch.slice(0, depth + 1)) parent = grow(parent, batch, false)
            const differing = trieDiff(store.state(old.hash), store.state(parent.hash)).sort()
            expect(differing).toEqual(differences(states.get(old.hash), states.get(parent.hash)))
            store.switchTo(parent.hash)
            best = parent
          }
          expect(store.best()).toEqual(best)
        }

        const reachable = new Set<number>()
        for (const [hash, block] of blocks) {
          const row = database.prepare('SELECT root FROM blocks WHERE hash = ?').get(Buffer.from(hash.slice(2), 'hex'))
          if (row === undefined || row['root'] === null) continue
          const trie = store.state(hash)
          const found = [...trieEntries(trie)].map(([name, node]) => [name, toHex(node.value ?? new Uint8Array())])
          expect(found).toEqual([...(states.get(hash) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)))
          expect(toHex(trieRoot(trie))).toBe(block.header.stateRoot)
          collect(trie, reachable)
        }
        let block = best
        for (let number: number = best.header.number; number >= 0; number -= 1) {
          expect(store.hashAt(number)).toBe(block.hash)
          if (number >= store.firstState()) expect(() => store.state(block.hash)).not.toThrow()
          block = blocks.get(block.header.parentHash) ?? block
        }
        expect(store.firstState()).toBeGreaterThanOrEqual(
          Math.min(best.header.number - keep, store.finalizedNumber()) - 16,
        )
        const rows = database
          .prepare('SELECT id FROM nodes')
          .all()
          .map(({ id }) => Number(id))
        expect(rows.sort((a, b) => a - b)).toEqual([...reachable].sort((a, b) => a - b))
        store.close()
      }),
      { seed: 4, numRuns: 150 },
    )
  }, 120_000)
})

describe('nodes in memory', () => {
  test('those of a large state are dropped above the bound, and read again when they are needed', () => {
    const rows = new Map<number, Uint8Array>()
    const cacheBytes = 200_000
    const nodes = createNodes({
      rows: { read: (id) => rows.get(id), write: (id, body) => void rows.set(id, body) },
      nextId: 1,
      cacheBytes,
    })
    const entries = Array.from({ length: 5_000 }, (_, index) => {
      const name = blake256(Uint8Array.of(index & 255, index >> 8))
      return [toKey(name), name.slice(0, 20)] as const
    })
    const retired: number[] = []
    const trie = nodes.write(trieEdit(undefined, entries, 1, retired)).settle()
    for (let round = 0; round < 2; round += 1) {
      for (const [name, value] of entries) {
        expect(trieGet(trie, name)).toEqual(value)
        expect(nodes.cachedBytes).toBeLessThan(cacheBytes * 1.1)
      }
    }
    rows.clear()
    expect(() => entries.map(([name]) => trieGet(trie, name))).toThrow(
      expect.objectContaining({ code: 'CHAIN_STATE_PRUNED' }),
    )
  })
})

const differences = (a: State | undefined, b: State | undefined): string[] =>
  [...new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])].filter((name) => a?.get(name) !== b?.get(name)).sort()

const collect = (trie: Trie, found: Set<number>): void => {
  const node = openNode(trie)
  if (node?.id !== undefined) found.add(node.id)
  for (const child of node?.children ?? []) collect(child, found)
}
