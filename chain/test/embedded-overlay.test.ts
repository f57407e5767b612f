import { toHex } from '@arbor/shared/hex'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { initHashes } from '../src/embedded/hash.ts'
import { compact } from '../src/embedded/scale.ts'
import { createOverlay } from '../src/embedded/state/overlay.ts'
import { trieEdit } from '../src/embedded/trie/edit.ts'
import { trieRoot } from '../src/embedded/trie/root.ts'

beforeAll(initHashes)

const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 })
const bytes = fc.uint8Array({ maxLength: 3 })
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.option(bytes, { nil: undefined }) }),
  fc.record({ kind: fc.constant('append' as const), key: fc.constant('list'), value: bytes }),
  fc.record({ kind: fc.constant('clear' as const), key }),
  fc.record({ kind: fc.constantFrom('begin' as const, 'commit' as const, 'rollback' as const, 'look' as const) }),
)

type Model = Map<string, Uint8Array>

/** Appends as the model does: copies the whole list. */
const appended = (
  list: Uint8Array | undefined,
  item: Uint8Array,
  counts: Map<string, number>,
  name: string,
): Uint8Array => {
  const count = counts.get(name) ?? 0
  const body = list === undefined || count === 0 ? new Uint8Array() : list.subarray(compact(count).length)
  counts.set(name, count + 1)
  return Uint8Array.from([...compact(count + 1), ...body, ...item])
}

describe('overlay', () => {
  test('reads, order and root agree with plain maps when transactions nest at random', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, bytes)), fc.array(step, { maxLength: 60 }), (below, steps) => {
        const base = trieEdit(undefined, below, 1)
        const overlay = createOverlay(base)
        let now: { model: Model; counts: Map<string, number> } = { model: new Map(below), counts: new Map() }
        const stack: (typeof now)[] = []
        for (const each of steps) {
          if (each.kind === 'set') {
            overlay.set(each.key, each.value)
            if (each.value === undefined) now.model.delete(each.key)
            else now.model.set(each.key, each.value)
          } else if (each.kind === 'append') {
            overlay.append(each.key, each.value)
            now.model.set(each.key, appended(now.model.get(each.key), each.value, now.counts, each.key))
          } else if (each.kind === 'clear') {
            overlay.clearPrefix(each.key, Number.POSITIVE_INFINITY)
            for (const name of [...now.model.keys()]) if (name.startsWith(each.key)) now.model.delete(name)
          } else if (each.kind === 'begin') {
            overlay.begin()
            stack.push({ model: new Map(now.model), counts: new Map(now.counts) })
          } else if (each.kind === 'commit' && stack.length > 0) {
            overlay.commit()
            stack.pop()
          } else if (each.kind === 'rollback' && stack.length > 0) {
            overlay.rollback()
            now = stack.pop() ?? now
          } else if (each.kind === 'look') {
            const sorted = [...now.model.keys()].sort()
            const walked: string[] = []
            for (let at = overlay.next(''); at !== undefined; at = overlay.next(at)) walked.push(at)
            expect(walked).toEqual(sorted)
          }
        }
        const sorted = [...now.model].sort(([a], [b]) => (a < b ? -1 : 1))
        for (const [name, value] of sorted) expect(overlay.get(name)).toEqual(value)
        expect(toHex(overlay.root(1))).toBe(toHex(trieRoot(trieEdit(undefined, sorted, 1))))
        expect(toHex(trieRoot(trieEdit(base, overlay.changes(1), 1)))).toBe(toHex(overlay.root(1)))
      }),
      { seed: 3, numRuns: 400 },
    )
  })

  test('clearing a prefix counts keys below and stops at the limit when there are more', () => {
    const overlay = createOverlay(
      trieEdit(
        undefined,
        ['a1', 'a2', 'a3', 'b'].map((name) => [name, Uint8Array.of(1)] as const),
        1,
      ),
    )
    overlay.set('a0', Uint8Array.of(2)) // only here, so it goes without being counted
    expect(overlay.clearPrefix('a', 2)).toEqual({ visited: 2, more: true })
    expect(overlay.next('')).toBe('a3')
    expect(overlay.clearPrefix('a', Number.POSITIVE_INFINITY)).toEqual({ visited: 3, more: false })
    expect(overlay.next('')).toBe('b')
  })

  test('closing a transaction that is not open is refused', () => {
    expect(() => createOverlay(undefined).commit()).toThrow(expect.objectContaining({ code: 'CHAIN_NO_TRANSACTION' }))
  })
})
