import type { Hyperparameters, Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Block } from '@arbor/shared/units'

/** The chain's rule that decides whether weights may be set. */
export type WeightRule = 'registered' | 'permit' | 'stake' | 'commit-reveal' | 'version' | 'rate-limit'

/** Whether weights may be set in the next block, or which rule forbids it until when. */
export type NextAllowed =
  | { readonly allowed: true }
  /** `at` is the first block that may allow it; null when no block alone does. */
  | { readonly allowed: false; readonly rule: WeightRule; readonly at: Block | null; readonly why: string }

/**
 * Tells which block and which rule allow the next weights, in the order in which the chain checks.
 * @param now the block the metagraph was read at; weights would enter the one after
 * @param version the version key that would be sent
 * @source docs/weights.md, "When the chain allows it"
 */
export function nextAllowed({
  metagraph,
  hyperparameters,
  me,
  version,
}: {
  readonly metagraph: Metagraph
  readonly hyperparameters: Hyperparameters
  readonly me: Neuron | undefined
  readonly version: number
}): NextAllowed {
  const { netuid } = metagraph
  if (me === undefined) {
    return refuse(
      'registered',
      null,
      `the hotkey is not registered in subnet ${netuid}: arbor register --netuid ${netuid}`,
    )
  }
  const owner = me.hotkey === metagraph.ownerHotkey
  if (!owner && me.totalStake < hyperparameters.stakeThreshold) {
    return refuse(
      'stake',
      null,
      `stake ${me.totalStake} is below the threshold ${hyperparameters.stakeThreshold}: arbor stake add`,
    )
  }
  if (hyperparameters.weightsVersion > BigInt(version)) {
    return refuse(
      'version',
      null,
      `the subnet asks for weights of version ${hyperparameters.weightsVersion}, this spec has ${version}: update the spec`,
    )
  }
  if (hyperparameters.commitRevealEnabled) {
    return refuse('commit-reveal', null, 'the subnet takes committed weights only, and this version sets them openly')
  }
  const since = metagraph.block.number + 1 - me.lastUpdate
  if (me.lastUpdate !== 0 && since < hyperparameters.weightsRateLimit) {
    const at = (me.lastUpdate + hyperparameters.weightsRateLimit) as Block
    return refuse(
      'rate-limit',
      at,
      `weights were set at block ${me.lastUpdate}; one set per ${hyperparameters.weightsRateLimit} blocks`,
    )
  }
  if (!owner && !me.validatorPermit) {
    const at = (metagraph.lastEpochBlock + metagraph.tempo) as Block
    return refuse(
      'permit',
      at,
      `no validator permit yet: permits are given at each epoch, the next at block ${at}, by stake`,
    )
  }
  return { allowed: true }
}

const refuse = (rule: WeightRule, at: Block | null, why: string): NextAllowed => ({ allowed: false, rule, at, why })
