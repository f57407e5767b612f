import { hash } from 'node:crypto'

/** Computes a Merkle tree's root from its leaves' hashes. @source RFC 6962 §2.1, written anew: the product's own tree is under test */
export const rootOf = (leaves: readonly Uint8Array[]): Uint8Array => {
  const [only] = leaves
  if (only === undefined) return hash('sha256', new Uint8Array(), 'buffer')
  if (leaves.length === 1) return only
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  const pair = [Uint8Array.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split))]
  return hash('sha256', Buffer.concat(pair), 'buffer')
}

/** Names a list of leaves by its content. */
export const digestOf = (leaves: readonly Uint8Array[]): string => hash('sha256', Buffer.concat(leaves), 'hex')
