import { SubnetError } from '@arbor/shared/errors'
import { isStored, type NodeSource, type StoredNode, type Trie, type TrieNode } from '../trie/node.ts'
import { nodeReference, trieRoot } from '../trie/root.ts'
import { corruptNode, decodeNode, encodeNode } from './node-code.ts'

/** Rows of nodes. */
export interface NodeRows {
  read(id: number): Uint8Array | undefined
  write(id: number, body: Uint8Array): void
}

/** The nodes of all kept states: rows in the database, those used lately in memory. */
export interface Nodes extends NodeSource {
  /** Number that the next node gets; numbers are never given twice while the process runs. */
  readonly nextId: number
  /** Writes the nodes of a trie that have no row yet; call within a transaction. */
  write(trie: Trie): WrittenTrie
  /** Bytes that cached nodes take, roughly. */
  readonly cachedBytes: number
}

/** A trie whose nodes all have rows, once the transaction is committed. */
export interface WrittenTrie {
  /** Number of the root node; 0 for the empty trie. */
  readonly root: number
  /** Numbers of the new nodes: from `first` up to `end`, which is not one of them. */
  readonly first: number
  readonly end: number
  /** Lets go of the nodes in memory; call after the commit. The trie given stays usable. */
  settle(): Trie
}

/** 64 MiB: the upper levels of a state of a million keys, and what the last blocks touched. */
const CACHE_BYTES = 64 * 2 ** 20
/** What V8 takes for a node and for one link to a child, measured. */
const NODE_BYTES = 320
const LINK_BYTES = 200

/** Creates the nodes on their rows. @param of.nextId first number that no row has */
export const createNodes = (of: {
  readonly rows: NodeRows
  readonly nextId: number
  readonly cacheBytes?: number
}): Nodes => {
  const { rows } = of
  let { nextId } = of
  const cache = createCache(of.cacheBytes ?? CACHE_BYTES)

  const load = (stored: StoredNode): TrieNode => {
    const held = cache.get(stored.id)
    if (held !== undefined) return held
    const body = rows.read(stored.id)
    if (body === undefined) throw gone(stored.id)
    const node = decodeNode(body, nodes)
    if (Buffer.compare(nodeReference(node), stored.reference) !== 0 && !isSmallRoot(node, stored)) throw corruptNode()
    node.id = stored.id
    cache.put(stored.id, node)
    return node
  }

  const write = (trie: Trie): WrittenTrie => {
    const first = nextId
    const ids = new Map<TrieNode, number>()
    const idOf = (node: TrieNode): number | undefined => node.id ?? ids.get(node)
    const visit = (node: TrieNode, isRoot: boolean): void => {
      if (node.id !== undefined) return
      for (const child of node.children ?? []) if (child !== undefined && !isStored(child)) visit(child, false)
      const reference = nodeReference(node)
      if (!isRoot && reference.length < 32) return // its parent holds it whole
      rows.write(
        nextId,
        encodeNode(node, (child) => {
          const id = idOf(child)
          return id === undefined ? null : { id, reference: nodeReference(child) }
        }),
      )
      ids.set(node, nextId)
      nextId += 1
    }
    if (trie !== undefined && !isStored(trie)) visit(trie, true)
    const rootOf = (): number => (trie === undefined ? 0 : isStored(trie) ? trie.id : (idOf(trie) ?? 0))
    return {
      root: rootOf(),
      first,
      end: nextId,
      settle: () => {
        for (const [node, id] of ids) freeze(node, id)
        if (trie === undefined || isStored(trie)) return trie
        return { id: trie.id ?? 0, reference: trieRoot(trie), source: nodes }
      },
    }
  }

  /** Children come before their parents, so they have their numbers. */
  const freeze = (node: TrieNode, id: number): void => {
    node.id = id
    node.owner = undefined
    node.children?.forEach((child, branch) => {
      if (child === undefined || isStored(child) || child.id === undefined || node.children === undefined) return
      node.children[branch] = { id: child.id, reference: nodeReference(child), source: nodes }
    })
    cache.put(id, node)
  }

  const nodes: Nodes = {
    load,
    write,
    get nextId() {
      return nextId
    },
    get cachedBytes() {
      return cache.bytes
    },
  }
  return nodes
}

/** A root is known by its hash, also where its encoding is shorter. */
const isSmallRoot = (node: TrieNode, { reference }: StoredNode): boolean =>
  Buffer.compare(trieRoot(node), reference) === 0

const gone = (id: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_STATE_PRUNED',
    message: `Node ${id} of an old state is gone: the state was let go while it was read; read a later block, or keep more of them with --keep`,
  })

interface Cache {
  readonly bytes: number
  get(id: number): TrieNode | undefined
  put(id: number, node: TrieNode): void
}

/** Two generations: what is used moves to the young one, and the old one goes when the young one holds half of the bytes. */
const createCache = (most: number): Cache => {
  let young = new Map<number, TrieNode>()
  let old = new Map<number, TrieNode>()
  let youngBytes = 0
  let oldBytes = 0
  const put = (id: number, node: TrieNode): void => {
    young.set(id, node)
    youngBytes += sizeOf(node)
    if (youngBytes < most / 2) return
    old = young
    oldBytes = youngBytes
    young = new Map()
    youngBytes = 0
  }
  return {
    get bytes() {
      return youngBytes + oldBytes
    },
    get: (id) => {
      const node = young.get(id)
      if (node !== undefined) return node
      const older = old.get(id)
      if (older !== undefined) put(id, older)
      return older
    },
    put,
  }
}

const sizeOf = ({ value, children }: TrieNode): number =>
  NODE_BYTES + (value?.length ?? 0) + (children === undefined ? 0 : 16 * LINK_BYTES)
