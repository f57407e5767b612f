import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Alpha, Block, Ss58 } from '@arbor/shared/units'
import type { RefusalCode } from '../refusal.ts'

/** What the miner knows of its subnet: the last finalised metagraph it read. */
export interface SubnetView {
  readonly metagraph: Metagraph
  /** Finds a neuron by its hotkey; null when it is not registered. */
  find(hotkey: Ss58): Neuron | null
}

/** Indexes a metagraph by hotkey. */
export const viewOf = (metagraph: Metagraph): SubnetView => {
  const byHotkey = new Map(metagraph.neurons.map((neuron) => [neuron.hotkey, neuron]))
  return { metagraph, find: (hotkey) => byHotkey.get(hotkey) ?? null }
}

/** Whether a hotkey may ask, by the chain. */
export type CallerVerdict =
  | { readonly ok: true; readonly neuron: Neuron }
  | { readonly ok: false; readonly code: RefusalCode }

/**
 * Judges whether a caller may ask: registered, with a validator permit and enough stake.
 * @param of.registeredAt block that the caller says it was registered in, if it says so
 */
export const admitCaller = (of: {
  readonly view: SubnetView
  readonly caller: Ss58
  readonly registeredAt?: Block | undefined
  readonly minStake: Alpha
}): CallerVerdict => {
  const neuron = of.view.find(of.caller)
  if (neuron === null) return { ok: false, code: 'MINER_UNKNOWN_CALLER' }
  if (of.registeredAt !== undefined && neuron.registeredAt !== of.registeredAt)
    return { ok: false, code: 'WIRE_REGISTRATION' }
  if (!neuron.validatorPermit) return { ok: false, code: 'MINER_NO_PERMIT' }
  if (neuron.totalStake < of.minStake) return { ok: false, code: 'MINER_LOW_STAKE' }
  return { ok: true, neuron }
}
