import type { BlockRef, ChainClient, Metagraph, WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { type Consensus, type ConsensusInput, consensusOf } from './consensus.ts'

/** What the chain holds that explains validator trust. */
export interface TrustRead {
  /** `epoch`: what the last epoch rested on; `now`: what an epoch now would, where the chain node keeps no older state. */
  readonly basis: 'epoch' | 'now'
  /** Block of the epoch, or of the newest finalised state. */
  readonly block: BlockRef
  /** With the chain's own validator trust and consensus. */
  readonly metagraph: Metagraph
  readonly input: ConsensusInput
  readonly consensus: Consensus
}

type Chain = Pick<
  ChainClient,
  'blockHash' | 'finalized' | 'hyperparameters' | 'metagraph' | 'pendingCommits' | 'weights'
>

/** Reads what the last epoch of a subnet was computed from, and computes it again. */
export async function readTrust(chain: Chain, netuid: NetUid): Promise<TrustRead> {
  const head = await chain.finalized()
  const newest = await chain.metagraph(netuid, head.hash)
  const read = newest.lastEpochBlock < 1 ? null : await atEpoch(chain, newest)
  if (read !== null) return read
  const input = await inputAt(chain, { netuid, at: head, epoch: head.number })
  return { basis: 'now', block: head, metagraph: newest, input, consensus: consensusOf(input) }
}

/** Reads the state that the last epoch ran on: that of the block before. Null when the chain node keeps it no more. */
async function atEpoch(chain: Chain, { netuid, lastEpochBlock }: Metagraph): Promise<TrustRead | null> {
  const [before, epoch] = await Promise.all([
    chain.blockHash((lastEpochBlock - 1) as Block),
    chain.blockHash(lastEpochBlock),
  ])
  if (before === null || epoch === null) return null
  try {
    const metagraph = await chain.metagraph(netuid, epoch)
    const held = metagraph.neurons.map((neuron) => neuron.consensus)
    const at = { number: (lastEpochBlock - 1) as Block, hash: before }
    const of = { netuid, epoch: lastEpochBlock, held }
    const input = await inputAt(chain, { ...of, at })
    const consensus = consensusOf(input)
    const block = { number: lastEpochBlock, hash: epoch }
    if (isHeld(consensus, metagraph)) return { basis: 'epoch', block, metagraph, input, consensus }
    // Sealed rows are opened in the epoch's own block, before it is computed.
    const opened = { ...input, rows: await rowsAt(chain, netuid, input, epoch) }
    return { basis: 'epoch', block, metagraph, input: opened, consensus: consensusOf(opened) }
  } catch (error) {
    if (error instanceof SubnetError && GONE.has(error.code)) return null
    throw error
  }
}

const U16 = 65_535
/** What a chain node answers that has forgotten a state. */
const GONE: ReadonlySet<string> = new Set(['CHAIN_RPC', 'CHAIN_UNKNOWN_BLOCK', 'CHAIN_NO_SUBNET'])

/** Validator trust that is held and computed may differ by so much: the chain's 32 bits of fraction, and its 16. */
export const HELD_WITHIN = 2 / U16

const isHeld = ({ trust }: Consensus, { neurons }: Metagraph): boolean =>
  neurons.every(({ uid, validatorTrust }) => Math.abs(validatorTrust - (trust.get(uid) ?? 0)) <= HELD_WITHIN)

async function inputAt(
  chain: Chain,
  of: {
    readonly netuid: NetUid
    readonly at: BlockRef
    readonly epoch: Block
    readonly held?: readonly number[] | undefined
  },
): Promise<ConsensusInput> {
  const { netuid, at, held } = of
  const [{ neurons, ownerHotkey }, hyperparameters] = await Promise.all([
    chain.metagraph(netuid, at.hash),
    chain.hyperparameters(netuid, at.hash),
  ])
  const { kappa, stakeThreshold, activityCutoff, commitRevealEnabled } = hyperparameters
  const owner = neurons.find(({ hotkey }) => hotkey === ownerHotkey)?.uid ?? null
  const commits = commitRevealEnabled ? await commitsAt(chain, netuid, at.hash) : new Map<Ss58, Block>()
  const rules = { stakeThreshold, activityCutoff, kappa: kappa / U16 }
  const input = { block: of.epoch, neurons, commits, owner, ...rules, held }
  return { ...input, rows: await rowsAt(chain, netuid, input, at.hash) }
}

const rowsAt = async (
  chain: Chain,
  netuid: NetUid,
  { neurons, owner }: Pick<ConsensusInput, 'neurons' | 'owner'>,
  at: Hex,
): Promise<ReadonlyMap<number, WeightRow>> => {
  const setters = neurons.filter(({ uid, validatorPermit }) => validatorPermit || uid === owner)
  return new Map(
    await Promise.all(setters.map(async ({ uid }) => [uid, await chain.weights(netuid, uid, at)] as const)),
  )
}

const commitsAt = async (chain: Chain, netuid: NetUid, at: Hex): Promise<ReadonlyMap<Ss58, Block>> => {
  const { commits } = await chain.pendingCommits({ netuid }, at)
  const earliest = new Map<Ss58, Block>()
  for (const { hotkey, block, status } of commits) {
    if (status === 'expired') continue
    const held = earliest.get(hotkey)
    if (held === undefined || block < held) earliest.set(hotkey, block)
  }
  return earliest
}
