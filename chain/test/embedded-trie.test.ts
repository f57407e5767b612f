import { toHex } from '@arbor/shared/hex'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { blake256, initHashes } from '../src/embedded/hash.ts'
import { keyBytes, toKey } from '../src/embedded/key.ts'
import { compact } from '../src/embedded/scale.ts'
import { orderedRoot } from '../src/embedded/trie/build.ts'
import { trieEdit } from '../src/embedded/trie/edit.ts'
import { openNode, type StateVersion, type Trie } from '../src/embedded/trie/node.ts'
import { trieGet, trieKeys, trieNext } from '../src/embedded/trie/read.ts'
import { trieRoot } from '../src/embedded/trie/root.ts'

beforeAll(initHashes)

/** Keys that share prefixes, end within others, and are empty at times; some lie deep below a long common path. */
const shortKey = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xf0, 0xff), { maxLength: 5 })
  .map((bytes) => toKey(Uint8Array.from(bytes)))
const key = fc.oneof(
  { weight: 3, arbitrary: shortKey },
  shortKey.map((rest) => '\x77'.repeat(40) + rest),
)
const value = fc.uint8Array({ maxLength: 70 })
const changes = fc.array(fc.tuple(key, fc.option(value, { nil: undefined, freq: 3 })), { maxLength: 40 })
const version = fc.constantFrom<StateVersion>(0, 1)

describe('trie', () => {
  test('root equals that of a full recomputation when keys are written, overwritten and removed at random', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 6 }), version, (batches, state) => {
        const model = new Map<string, Uint8Array>()
        let trie: Trie
        for (const batch of batches) {
          const before = trieRoot(trie)
          const edited = trieEdit(trie, batch, state)
          for (const [name, written] of batch) {
            if (written === undefined) model.delete(name)
            else model.set(name, written)
          }
          expect(toHex(trieRoot(edited))).toBe(toHex(plainRoot(model, state)))
          expect(toHex(trieRoot(forgetful(trie)))).toBe(toHex(before)) // the old trie is untouched
          trie = edited
        }
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('reads agree with a sorted map when keys are written and removed at random', () => {
    fc.assert(
      fc.property(changes, fc.array(key), (written, asked) => {
        const model = new Map<string, Uint8Array>()
        for (const [name, bytes] of written) {
          if (bytes === undefined) model.delete(name)
          else model.set(name, bytes)
        }
        const trie = trieEdit(undefined, written, 1)
        const sorted = [...model.keys()].sort()
        expect([...trieKeys(trie)]).toEqual(sorted)
        for (const name of [...asked, ...sorted]) {
          expect(trieGet(trie, name)).toEqual(model.get(name))
          expect(trieNext(trie, name)).toBe(sorted.find((other) => other > name))
          expect([...trieKeys(trie, name)]).toEqual(sorted.filter((other) => other.startsWith(name)))
        }
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  test('values keep the version that they were written under, and take the new one when written again', () => {
    const [long, short] = [new Uint8Array(40).fill(1), Uint8Array.of(1)]
    const old = trieEdit(
      undefined,
      [
        ['ab', long],
        ['ac', short],
      ],
      0,
    )
    const pure = trieRoot(
      trieEdit(
        undefined,
        [
          ['ab', long],
          ['ac', short],
        ],
        1,
      ),
    )
    expect(toHex(trieRoot(trieEdit(old, [['ac', short]], 1)))).toBe(toHex(trieRoot(old)))
    expect(toHex(trieRoot(trieEdit(old, [['ab', long]], 1)))).toBe(toHex(pure))
  })

  test('roots equal those of sp_trie', () => {
    // @source polkadot-sdk substrate/primitives/trie/src/lib.rs: empty_tree_is_null / spec "0x03170a2e…" = blake2b-256 of one zero byte
    expect(toHex(orderedRoot([], 0))).toBe('0x03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314')
    // @source the same file: single_long_leaf_is_0x42 and single_branch: the encoded nodes, whose hash the root is
    expect(toHex(trieRoot(trieEdit(undefined, [[toKey(Uint8Array.of(0xaa)), Uint8Array.of(0xbb)]], 0)))).toBe(
      toHex(blake256(Uint8Array.of(0x42, 0xaa, 0x04, 0xbb))),
    )
    const pair = [
      [toKey(Uint8Array.of(0x48, 0x19)), Uint8Array.of(0xfe)],
      [toKey(Uint8Array.of(0x13, 0x14)), Uint8Array.of(0xff)],
    ] as const
    const branch = [0x80, 0x12, 0x00, 0x14, 0x43, 0x03, 0x14, 0x04, 0xff, 0x14, 0x43, 0x08, 0x19, 0x04, 0xfe]
    expect(toHex(trieRoot(trieEdit(undefined, pair, 0)))).toBe(toHex(blake256(Uint8Array.from(branch))))
  })
})

/** Copies a trie without what its nodes remember. */
const forgetful = (trie: Trie): Trie => {
  const node = openNode(trie)
  return node && { ...node, reference: undefined, valueHash: undefined, children: node.children?.map(forgetful) }
}

/** The root by definition: nodes are built anew from sorted pairs, nothing is shared with the trie under test. */
const plainRoot = (model: ReadonlyMap<string, Uint8Array>, state: StateVersion): Uint8Array => {
  const pairs = [...model].map(([name, bytes]) => ({ path: [...Buffer.from(keyBytes(name)).toString('hex')], bytes }))
  return blake256(pairs.length === 0 ? Uint8Array.of(0) : plainNode(pairs, 0, state))
}

interface Pair {
  readonly path: readonly string[]
  readonly bytes: Uint8Array
}

const plainNode = (pairs: readonly Pair[], from: number, state: StateVersion): Uint8Array => {
  const [first] = pairs
  if (first === undefined) throw new Error('a node without keys')
  let to = from
  while (pairs.every(({ path }) => path[to] !== undefined && path[to] === first.path[to])) to += 1
  const own = pairs.find(({ path }) => path.length === to)
  const below = pairs.filter((pair) => pair !== own)
  const isHashed = own !== undefined && state === 1 && own.bytes.length > 32
  const [kind, bits] =
    below.length === 0
      ? isHashed
        ? [0x20, 5]
        : [0x40, 6]
      : own === undefined
        ? [0x80, 6]
        : isHashed
          ? [0x10, 4]
          : [0xc0, 6]
  const held =
    own === undefined ? [] : isHashed ? [...blake256(own.bytes)] : [...compact(own.bytes.length), ...own.bytes]
  const hex = first.path.slice(from, to).join('')
  const partial = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex')
  const most = 2 ** bits - 1
  const header = hex.length < most ? [kind | hex.length] : [kind | most, hex.length - most]
  const branches = [...'0123456789abcdef'].map((digit) => below.filter(({ path }) => path[to] === digit))
  const bitmap = branches.reduce((sum, branch, index) => sum + (branch.length > 0 ? 2 ** index : 0), 0)
  const children = branches
    .filter((branch) => branch.length > 0)
    .flatMap((branch) => {
      const node = plainNode(branch, to + 1, state)
      const reference = node.length < 32 ? node : blake256(node)
      return [...compact(reference.length), ...reference]
    })
  const map = below.length === 0 ? [] : [bitmap & 255, bitmap >> 8]
  return Uint8Array.from([...header, ...partial, ...map, ...held, ...children])
}
