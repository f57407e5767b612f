import type { AxonInfo, BlockRef, Metagraph } from '@arbor/chain/client/types'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { taskSeed } from '@arbor/subnet-spec/seed'
import { type Registration, registrationOf } from './scores.ts'

/** One question for one miner, the same for every validator of the round. */
export interface PlannedTask extends Registration {
  readonly axon: AxonInfo
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

/**
 * Plans one task for each miner that serves at the round's start block.
 * @param metagraph the subnet at the round's start block
 * @param self the validator's own hotkey, which it never asks
 */
export function planRound({
  spec,
  metagraph,
  round,
  self,
}: {
  readonly spec: SubnetSpec
  readonly metagraph: Metagraph
  readonly round: number
  readonly self: Ss58
}): RoundPlan {
  const { netuid, block } = metagraph
  const tasks = metagraph.neurons.flatMap((neuron): PlannedTask[] => {
    if (neuron.axon === null || neuron.hotkey === self) return []
    const seed = taskSeed({ blockHash: block.hash, netuid, round, hotkey: neuron.hotkey })
    const task = spec.pick({ seed })
    const definition = spec.tasks[task]
    if (definition === undefined) throw new Error(`the spec ${spec.name} picked the unknown task ${task}`)
    return [{ ...registrationOf(neuron), axon: neuron.axon, task, seed, request: definition.plan({ seed }) }]
  })
  return { netuid, round, start: block, tasks }
}
