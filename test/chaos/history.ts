import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Hyperparameters, Metagraph, Neuron, WeightRow } from '@arbor/chain/client/types'
import type { Block, Hex, Ss58 } from '@arbor/shared/units'
import type { Member } from './member.ts'
import { netuid } from './world.ts'

/** What the chain says at a block, as the suite's own connection reads it, and how each validator stood then. */
export interface Moment {
  readonly block: Block
  readonly hash: Hex
  readonly metagraph: Metagraph
  readonly rules: Hyperparameters
  /** Epochs between commit and reveal. */
  readonly revealPeriod: number
  /** The row that the chain holds of each validator that has a uid. */
  readonly rows: ReadonlyMap<Ss58, WeightRow>
  /**
   * Validators that could do their work at this block: alive, undisturbed, and with a snapshot that is one block old at most. Each with the
   * number of its life: one that was killed between two blocks starts anew.
   */
  readonly able: ReadonlyMap<Ss58, number>
}

/** Reads one moment. */
export const readMoment = async (
  chain: ChainConnection,
  of: {
    readonly members: readonly Member[]
    readonly block: Block
    readonly hash: Hex
    /** Newest block at which the chain itself had been killed, or had given up blocks. */
    readonly lostAt: number
  },
): Promise<Moment> => {
  const { members, block, hash } = of
  const [metagraph, rules, reveal] = await Promise.all([
    chain.metagraph(netuid, hash),
    chain.hyperparameters(netuid, hash),
    chain.read('SubtensorModule', 'RevealPeriodEpochs', [netuid], hash),
  ])
  const rows = new Map<Ss58, WeightRow>()
  await Promise.all(
    members.map(async ({ key }) => {
      const me = neuronOf(metagraph, key.address)
      if (me !== undefined) rows.set(key.address, await chain.weights(netuid, me.uid, hash))
    }),
  )
  const able = new Map(members.filter((member) => isAble(member, of)).map(({ key, life }) => [key.address, life]))
  return { block, hash, metagraph, rules, revealPeriod: Number(reveal), rows, able }
}

/** Blocks after a fault of its own in which a validator may still be waiting to try again. */
const GRACE_BLOCKS = 10

/** Blocks of an extrinsic's era: what was sent to a chain that lost it is known to be lost when they are over. */
const ERA_BLOCKS = 5

const isAble = (
  { alive, at, disturbedAt }: Pick<Member, 'alive' | 'at' | 'disturbedAt'>,
  { block, lostAt }: { readonly block: Block; readonly lostAt: number },
): boolean => alive && at >= block - 1 && block > disturbedAt + GRACE_BLOCKS && block > lostAt + ERA_BLOCKS

/** Finds a hotkey's neuron. */
export const neuronOf = ({ neurons }: Metagraph, hotkey: Ss58): Neuron | undefined =>
  neurons.find((neuron) => neuron.hotkey === hotkey)

/** Tells whether two rows say the same; a uid that is absent weighs zero. Written here anew: the product's own comparison is under test. */
export const isSameRow = (a: WeightRow, b: WeightRow): boolean => textOf(a) === textOf(b)

const textOf = (row: WeightRow): string =>
  row
    .filter(([, weight]) => weight > 0)
    .toSorted(([x], [y]) => x - y)
    .map(([uid, weight]) => `${uid}:${weight}`)
    .join(' ')
