import type { AxonInfo, BlockRef, Metagraph, Neuron } from '@arbor/chain/client/types'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { taskSeed } from '@arbor/subnet-spec/seed'
import { type Registration, registrationOf } from './scores.ts'

/** What one miner is asked, the same for every validator of the round. */
export interface Question {
  readonly task: string
  readonly seed: Hex
  readonly request: unknown
}

/** One question for one miner, and where it is asked. */
export interface PlannedTask extends Registration, Question {
  readonly axon: AxonInfo
  /** The axon is our own listener, where the miner holds a connection. */
  readonly isOwn?: boolean
}

/** A miner that is asked in a round. */
export type AskedMiner = Registration & Pick<PlannedTask, 'axon' | 'isOwn'>

/** A pass over all serving miners, fixed by one finalised block. */
export interface RoundPlan {
  readonly netuid: NetUid
  readonly round: number
  readonly start: BlockRef
  readonly tasks: readonly PlannedTask[]
}

/** Says where a miner that holds a connection to our own listener is asked; null for all others. */
export type Route = (hotkey: Ss58) => AxonInfo | null

/** What the questions of a round follow from. */
export interface QuestionOf {
  readonly spec: SubnetSpec
  readonly netuid: NetUid
  readonly round: number
  /** Of the round's start block. */
  readonly blockHash: Hex
  /** 0 for the round's own question, from 1 on for repeats. */
  readonly repeat?: number
}

/** Derives a miner's question from block, subnet, round and hotkey alone. */
export const questionFor = ({ spec, ...of }: QuestionOf, hotkey: Ss58): Question => {
  const seed = taskSeed({ ...of, hotkey })
  const task = spec.pick({ seed })
  const definition = spec.tasks[task]
  if (definition === undefined) throw new Error(`the spec ${spec.name} picked the unknown task ${task}`)
  return { task, seed, request: definition.plan({ seed }) }
}

/**
 * Lists the miners of a round: who serves at its start block, or holds a connection to us.
 * @param metagraph the subnet at the round's start block
 * @param self the validator's own hotkey, which it never asks
 * @param route where miners are asked that hold a connection to us, in preference to their axons
 */
export const minersOf = ({
  metagraph,
  self,
  route = () => null,
}: {
  readonly metagraph: Metagraph
  readonly self: Ss58
  readonly route?: Route | undefined
}): readonly AskedMiner[] =>
  metagraph.neurons.flatMap((neuron): AskedMiner[] => {
    if (neuron.hotkey === self) return []
    const own = route(neuron.hotkey)
    const axon = own ?? askedAt(neuron)
    if (axon === null) return []
    return [{ ...registrationOf(neuron), axon, ...(own === null ? {} : { isOwn: true }) }]
  })

/** Plans one task for each miner of a round. */
export function planRound(of: {
  readonly spec: SubnetSpec
  readonly metagraph: Metagraph
  readonly round: number
  readonly self: Ss58
  readonly route?: Route | undefined
}): RoundPlan {
  const { spec, metagraph, round } = of
  const { netuid, block } = metagraph
  const about: QuestionOf = { spec, netuid, round, blockHash: block.hash }
  const tasks = minersOf(of).map((miner): PlannedTask => ({ ...miner, ...questionFor(about, miner.hotkey) }))
  return { netuid, round, start: block, tasks }
}

/** Where a neuron says that it is asked; a validator's own listener is there to be dialled. */
export const askedAt = ({ axon }: Neuron): AxonInfo | null => (axon?.protocol === AXON_PROTOCOL.dial ? null : axon)
