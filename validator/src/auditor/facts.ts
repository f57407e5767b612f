import { storageIndex } from '@arbor/chain/client/salted'
import type { BlockRef, ChainClient, Metagraph, WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'

/** What an auditor asks of the chain; `pruned` where the endpoint has thrown the state of that block away. */
export interface ChainFacts {
  /** Hash of a finalised block; null when there is none yet. */
  blockHash(block: Block): Promise<Hex | null>
  metagraph(block: Block): Promise<Metagraph | Pruned>
  /** Blocks between epochs. */
  tempo(block: Block): Promise<Blocks | Pruned>
  /** Uid of a hotkey; null where it has none. */
  uid(block: Block, hotkey: Ss58): Promise<Uid | null | Pruned>
  /** A mechanism's row. */
  row(of: { readonly block: Block; readonly uid: Uid; readonly mechanism: number }): Promise<WeightRow | Pruned>
  /** Reads whatever else at a block. */
  at<T>(block: Block, read: (hash: Hex) => Promise<T>): Promise<T | Pruned>
  /** The newest finalised block when the audit began; nothing after it is looked at. */
  readonly head: BlockRef
  /** Blocks whose state was asked for and is gone. */
  readonly pruned: ReadonlySet<Block>
}

export type Pruned = 'pruned'

/** Metagraphs kept: rounds ask for each in turn, rows lie between them. */
const KEPT_METAGRAPHS = 6
/** Hashes kept: an epoch asks for fewer. */
const KEPT_HASHES = 4_096

/** Reads facts of one subnet, each once as long as it is kept. */
export async function openFacts({
  chain,
  netuid,
}: {
  readonly chain: Pick<ChainClient, 'finalized' | 'blockHash' | 'metagraph' | 'read'>
  readonly netuid: NetUid
}): Promise<ChainFacts> {
  const head = await chain.finalized()
  const pruned = new Set<Block>()
  const blockHash = kept(KEPT_HASHES, (block: Block) =>
    block > head.number ? Promise.resolve(null) : chain.blockHash(block),
  )
  const at = async <T>(block: Block, read: (hash: Hex) => Promise<T>): Promise<T | Pruned> => {
    const hash = await blockHash(block)
    if (hash === null) throw unknownBlock(block, head)
    try {
      return await read(hash)
    } catch (error) {
      if (!isPruned(error)) throw error
      pruned.add(block)
      return 'pruned'
    }
  }
  return {
    head,
    pruned,
    blockHash,
    metagraph: kept(KEPT_METAGRAPHS, (block: Block) => at(block, (hash) => chain.metagraph(netuid, hash))),
    tempo: (block) =>
      at(block, async (hash) => Number(await chain.read('SubtensorModule', 'Tempo', [netuid], hash)) as Blocks),
    uid: (block, hotkey) =>
      at(block, async (hash) => {
        const found = await chain.read('SubtensorModule', 'Uids', [netuid, hotkey], hash)
        return typeof found === 'bigint' ? (Number(found) as Uid) : null
      }),
    row: ({ block, uid, mechanism }) =>
      at(block, async (hash) =>
        rowOf(await chain.read('SubtensorModule', 'Weights', [storageIndex(netuid, mechanism), uid], hash)),
      ),
    at,
  }
}

/** Remembers the newest answers by their question. */
function kept<Key, Value>(most: number, ask: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const answers = new Map<Key, Promise<Value>>()
  return (key) => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const asked = ask(key)
    answers.set(key, asked)
    asked.catch(() => answers.delete(key))
    const [oldest] = answers.keys()
    if (answers.size > most && oldest !== undefined) answers.delete(oldest)
    return asked
  }
}

const rowOf = (value: unknown): WeightRow =>
  (Array.isArray(value) ? (value as [bigint, bigint][]) : []).map(
    ([uid, weight]) => [Number(uid) as Uid, Number(weight)] as const,
  )

/**
 * Tells a chain node's word for state that it has not kept.
 * @source sp-blockchain error.rs: UnknownBlock("State already discarded for …"), which clients match on
 */
export const isPruned = (error: unknown): boolean =>
  error instanceof SubnetError &&
  error.code === 'CHAIN_RPC' &&
  /State already discarded|UnknownBlock/.test(error.message)

const unknownBlock = (block: Block, head: BlockRef): SubnetError =>
  new SubnetError({
    code: 'AUDIT_BLOCK',
    message: `block ${block} is not final yet: the newest final block is ${head.number}; audit again when it is`,
    details: { block, head: head.number },
    retryable: true,
  })
