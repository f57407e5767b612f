import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import known from '../../test/vectors/merkle/certificate-transparency.json' with { type: 'json' }
import sizes from '../../test/vectors/merkle/sizes.json' with { type: 'json' }
import {
  consistencyProof,
  createTree,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  type NodeAt,
  nodeHash,
  peaksFromInclusion,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../src/merkle.ts'

/** Keeps every full subtree of a list, as a log's tables do. */
const treeOf = (leaves: readonly Uint8Array[]): { readonly nodeAt: NodeAt; readonly roots: readonly Uint8Array[] } => {
  const nodes = new Map<string, Uint8Array>()
  const tree = createTree()
  const roots = [tree.root()]
  for (const [index, leaf] of leaves.entries()) {
    nodes.set(`0/${index}`, leaf)
    tree.add(leaf, (level, position, node) => void nodes.set(`${level}/${position}`, node))
    roots.push(tree.root())
  }
  const nodeAt: NodeAt = (level, position) => {
    const node = nodes.get(`${level}/${position}`)
    if (node === undefined) throw new Error(`no full subtree ${level}/${position}`)
    return node
  }
  return { nodeAt, roots }
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const digest = (proof: readonly Uint8Array[]): string => hash('sha256', Buffer.concat(proof), 'hex')
const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

const leaves = Array.from({ length: sizes.sizes }, (_, index) => leafHash(Buffer.from(`entry ${index}`)))
const { nodeAt, roots } = treeOf(leaves)
const rootAt = (size: number): Uint8Array => roots[size] ?? EMPTY_ROOT
const leafAt = (index: number): Uint8Array => leaves[index] ?? EMPTY_ROOT

describe('merkle tree', () => {
  test("has the roots and proofs of the reference for Certificate Transparency's leaves", () => {
    const own = known.leaves.map((leaf) => leafHash(Buffer.from(leaf, 'hex')))
    const tree = treeOf(own)
    expect(own.map(hex)).toEqual(known.leafHashes)
    expect(tree.roots.map(hex)).toEqual(known.roots)
    for (const { index, size, proof } of known.inclusion)
      expect(inclusionProof({ index, size, nodeAt: tree.nodeAt }).map(hex)).toEqual(proof)
    for (const { from, to, proof } of known.consistency)
      expect(consistencyProof({ from, to, nodeAt: tree.nodeAt }).map(hex)).toEqual(proof)
  })

  test('has the roots and proofs of the reference at every size', () => {
    expect(roots.map(hex)).toEqual(sizes.roots)
    for (let size = 0; size <= sizes.sizes; size += 1) expect(hex(rootOf(size, nodeAt))).toBe(sizes.roots[size])
    for (const [size, proofs] of sizes.inclusion.entries())
      expect(proofs?.map((_, index) => digest(inclusionProof({ index, size, nodeAt }))) ?? null).toEqual(proofs)
    for (const [to, proofs] of sizes.consistency.entries())
      expect(proofs?.map((_, index) => digest(consistencyProof({ from: index + 1, to, nodeAt }))) ?? null).toEqual(
        proofs,
      )
  })

  test('believes every proof that it makes', () => {
    for (let size = 1; size <= sizes.sizes; size += 1) {
      const root = rootAt(size)
      for (let at = 0; at < size; at += 1) {
        const proof = inclusionProof({ index: at, size, nodeAt })
        expect(verifyInclusion({ leaf: leafAt(at), index: at, size, proof, root })).toBe(true)
        const steps = consistencyProof({ from: at, to: size, nodeAt })
        expect(verifyConsistency({ from: at, to: size, fromRoot: rootAt(at), toRoot: root, proof: steps })).toBe(true)
      }
    }
  })

  test('believes no inclusion proof of which leaf, index, size, root or a step is another', () => {
    for (const size of [1, 2, 3, 7, 8, 9, 33, 64, 100, 130])
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof({ index, size, nodeAt })
        const good = { leaf: leafAt(index), index, size, proof, root: rootAt(size) }
        const bit = (index * 37 + size) % 256
        const no = (change: Partial<typeof good>): void => expect(verifyInclusion({ ...good, ...change })).toBe(false)
        no({ leaf: flipped(good.leaf, bit) })
        no({ root: flipped(good.root, bit) })
        no({ index: index + 1 })
        no({ index: -1 })
        no({ index: index + 0.5 })
        no({ proof: [...proof, leafAt(0)] })
        if (index > 0) no({ index: index - 1 })
        if (proof.length === 0) continue
        no({ proof: proof.slice(1) })
        no({ proof: proof.slice(0, -1) })
        const step = index % proof.length
        no({ proof: proof.map((each, at) => (at === step ? flipped(each, bit) : each)) })
        no({ proof: proof.map((each, at) => (at === step ? each.subarray(1) : each)) })
      }
  })

  test('believes no inclusion proof for a size whose root is another', () => {
    for (let size = 2; size <= sizes.sizes; size += 1) {
      const index = (size * 31) % (size - 1)
      const proof = inclusionProof({ index, size, nodeAt })
      for (const other of [size - 1, size + 1])
        expect(verifyInclusion({ leaf: leafAt(index), index, size, proof, root: rootAt(other) })).toBe(false)
    }
  })

  test('believes no consistency proof of which a size, a root or a step is another', () => {
    for (const to of [2, 3, 7, 8, 9, 33, 64, 100, 130])
      for (let from = 1; from <= to; from += 1) {
        const proof = consistencyProof({ from, to, nodeAt })
        const good = { from, to, fromRoot: rootAt(from), toRoot: rootAt(to), proof }
        const bit = (from * 41 + to) % 256
        const no = (change: Partial<typeof good>): void => expect(verifyConsistency({ ...good, ...change })).toBe(false)
        no({ fromRoot: flipped(good.fromRoot, bit) })
        no({ toRoot: flipped(good.toRoot, bit) })
        no({ fromRoot: rootAt(from - 1) })
        no({ from: to + 1 })
        no({ proof: [...proof, leafAt(0)] })
        if (from < to) no({ from: from + 1, fromRoot: rootAt(from + 1) })
        if (proof.length === 0) continue
        no({ proof: proof.slice(1) })
        no({ proof: proof.slice(0, -1) })
        const step = from % proof.length
        no({ proof: proof.map((each, at) => (at === step ? flipped(each, bit) : each)) })
      }
  })

  test('goes on from the peaks that an inclusion proof holds', () => {
    for (let from = 0; from < sizes.sizes; from += 1) {
      const proof = inclusionProof({ index: from, size: from + 1, nodeAt })
      const tree = createTree({ size: from, peaks: peaksFromInclusion(proof) })
      for (const leaf of leaves.slice(from)) tree.add(leaf)
      expect(hex(tree.root())).toBe(sizes.roots[sizes.sizes])
    }
  })

  test('holds beyond 32 bits', () => {
    const start = 2 ** 40
    const other = (of: string): Uint8Array => leafHash(Buffer.from(of))
    const pair = nodeHash(other('first'), other('second'))
    const far: NodeAt = (level, position) => {
      if (level === 1 && position === start / 2) return pair
      if (level === 0 && position === start) return other('first')
      return other(`${level}/${position}`)
    }
    const of = { index: start + 1, size: start + 3 }
    const proof = inclusionProof({ ...of, nodeAt: far })
    const good = { ...of, leaf: other('second'), proof, root: rootOf(of.size, far) }
    expect(verifyInclusion(good)).toBe(true)
    expect(verifyInclusion({ ...good, index: 1 })).toBe(false)
    expect(verifyInclusion({ ...good, size: 3 })).toBe(false)
  })
})
