import type { BlockRef, ChainClient, Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Block, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { type Books, grown, readBooks } from './books.ts'
import type { Member } from './roster.ts'
import type { NetEvent } from './state.ts'

/** What a reader of its own saw at one finalised block. */
export interface Sight {
  readonly block: BlockRef
  readonly metagraph: Metagraph
  readonly books: Books
  readonly rows: ReadonlyMap<Ss58, readonly (readonly [Uid, number])[]>
}

/** Reads metagraph, books and every validator's row at one block. */
export async function look({
  chain,
  netuid,
  members,
  block,
}: {
  readonly chain: ChainClient
  readonly netuid: NetUid
  readonly members: readonly Member[]
  readonly block: BlockRef
}): Promise<Sight> {
  const metagraph = await chain.metagraph(netuid, block.hash)
  const hotkeys = metagraph.neurons.map(({ hotkey }) => hotkey)
  const validators = metagraph.neurons.filter(({ hotkey }) => isValidator(members, hotkey))
  const [books, rows] = await Promise.all([
    readBooks({ chain, netuid, hotkeys, at: block.hash }),
    Promise.all(
      validators.map(async ({ hotkey, uid }) => [hotkey, await chain.weights(netuid, uid, block.hash)] as const),
    ),
  ])
  return { block, metagraph, books, rows: new Map(rows) }
}

const isValidator = (members: readonly Member[], hotkey: Ss58): boolean =>
  members.some((member) => member.hotkey === hotkey && member.role === 'validator')

/** Tells whether every validator of the net holds weights at this block. */
export const allWeighed = (sight: Sight, members: readonly Member[]): boolean =>
  members.filter(({ role }) => role === 'validator').every(({ hotkey }) => (sight.rows.get(hotkey)?.length ?? 0) > 0)

/** Turns a sight into what the view shows; earnings count from the first sight on. */
export function asEvent(sight: Sight, first: Sight, members: readonly Member[]): NetEvent {
  const { metagraph, block } = sight
  const neuronOf = (hotkey: Ss58): Neuron | undefined => metagraph.neurons.find((neuron) => neuron.hotkey === hotkey)
  const of = (role: Member['role']) => members.filter((member) => member.role === role)
  return {
    kind: 'block',
    block: block.number,
    tempo: metagraph.tempo,
    epoch: metagraph.epochIndex,
    nextEpochBlock: (metagraph.lastEpochBlock + metagraph.tempo) as Block,
    miners: of('miner').map(({ hotkey }) => ({
      hotkey,
      uid: neuronOf(hotkey)?.uid ?? null,
      incentive: neuronOf(hotkey)?.incentive ?? 0,
      earned: grown(first.books, sight.books, hotkey),
    })),
    validators: of('validator').map(({ hotkey }) => ({
      hotkey,
      uid: neuronOf(hotkey)?.uid ?? null,
      permit: neuronOf(hotkey)?.validatorPermit ?? false,
      weights: sight.rows.get(hotkey) ?? [],
      readBackBlock: block.number,
      dividends: neuronOf(hotkey)?.dividends ?? 0,
      earned: grown(first.books, sight.books, hotkey),
    })),
  }
}
