import type { AxonInfo, BlockRef, Metagraph, Neuron } from '@arbor/chain/client/types'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { taskSeed } from '@arbor/subnet-spec/seed'
import { type Registration, registrationOf } from './scores.ts'

/** One question for one miner, the same for every validator of the round. */
export interface PlannedTask extends Registration {
  readonly axon: AxonInfo
  /** The axon is our own listener, where the miner holds a connection. */
  readonly isOwn?: boolean
  readonly task: string
  readonly seed: Hex
  readonly request: unknown
}

/** A pass over all serving miners, fixed by one finalised block. */
export interface RoundPlan {
  readonly netuid: NetUid
  readonly round: number
  readonly start: BlockRef
  readonly tasks: readonly PlannedTask[]
}

/** Says where a miner that holds a connection to our own listener is asked; null for all others. */
export type Route = (hotkey: Ss58) => AxonInfo | null

/**
 * Plans one task for each miner that serves at the round's start block, or holds a connection to us.
 * @param metagraph the subnet at the round's start block
 * @param self the validator's own hotkey, which it never asks
 * @param route where miners are asked that hold a connection to us, in preference to their axons
 */
export function planRound({
  spec,
  metagraph,
  round,
  self,
  route = () => null,
}: {
  readonly spec: SubnetSpec
  readonly metagraph: Metagraph
  readonly round: number
  readonly self: Ss58
  readonly route?: Route | undefined
}): RoundPlan {
  const { netuid, block } = metagraph
  const tasks = metagraph.neurons.flatMap((neuron): PlannedTask[] => {
    if (neuron.hotkey === self) return []
    const own = route(neuron.hotkey)
    const axon = own ?? askedAt(neuron)
    if (axon === null) return []
    const seed = taskSeed({ blockHash: block.hash, netuid, round, hotkey: neuron.hotkey })
    const task = spec.pick({ seed })
    const definition = spec.tasks[task]
    if (definition === undefined) throw new Error(`the spec ${spec.name} picked the unknown task ${task}`)
    const where = { axon, ...(own === null ? {} : { isOwn: true }) }
    return [{ ...registrationOf(neuron), ...where, task, seed, request: definition.plan({ seed }) }]
  })
  return { netuid, round, start: block, tasks }
}

/** Where a neuron says that it is asked; a validator's own listener is there to be dialled. */
export const askedAt = ({ axon }: Neuron): AxonInfo | null => (axon?.protocol === AXON_PROTOCOL.dial ? null : axon)
