import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import { readModelFolder } from '@arbor/engine/folder'
import { thresholdsHash } from '@arbor/engine/thresholds'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { mustFollow } from './chain-loop.ts'

/**
 * Expects our hotkey in the subnet.
 * @throws VALIDATOR_UNREGISTERED with the command that registers it
 */
export async function mustBeRegistered(
  chain: ChainClient,
  of: {
    readonly netuid: NetUid
    readonly address: string
    readonly wallets: string
    readonly wallet: string
    readonly hotkey: string
  },
): Promise<void> {
  const { netuid, address, wallets, wallet, hotkey } = of
  const { neurons, block } = await chain.metagraph(netuid)
  if (neurons.some((neuron) => neuron.hotkey === address)) return
  throw new SubnetError({
    code: 'VALIDATOR_UNREGISTERED',
    message: `hotkey ${address} is not registered in subnet ${netuid} at block ${block.number}; run: arbor register --network ${chain.url} --netuid ${netuid} --wallets "${wallets}" --wallet ${wallet} --hotkey ${hotkey}`,
    details: { netuid, hotkey: address },
  })
}

/**
 * Expects the very model that the spec names: with another one every honest answer would be judged wrong.
 * @throws VALIDATOR_MODEL, VALIDATOR_THRESHOLDS, MODEL_MISSING, MODEL_INCOMPLETE, MODEL_CARD_INVALID, MODEL_MISMATCH
 */
export async function mustHoldModel(folder: string, { name, model }: SubnetSpec): Promise<void> {
  const { id, card } = await readModelFolder({ folder })
  if (id.hash === model.hash) return mustShareLimits(thresholdsHash(card.thresholds), folder, { name, model })
  throw new SubnetError({
    code: 'VALIDATOR_MODEL',
    message: `${folder} holds the model ${id.name} ${id.hash}, the subnet ${name} judges by ${model.name} ${model.hash}; name its folder with --model`,
    details: { folder, found: id.hash, expected: model.hash },
  })
}

/**
 * Expects the chain to have reached the ledger's last round. A development chain that was begun anew has the same genesis,
 * and its validator would wait for that block without a word.
 * @throws LEDGER_AHEAD
 */
export function mustNotBeAhead(lastRound: number | null, finalized: number, data: string): void {
  if (lastRound === null || lastRound <= finalized) return
  throw new SubnetError({
    code: 'LEDGER_AHEAD',
    message: `the ledger in ${data} knows a round of block ${lastRound}, the chain is at block ${finalized}; wait until it has caught up, or name another --data folder when it was begun anew`,
    details: { lastRound, finalized },
  })
}

/** Blocks of rounds that are compared: two epochs' worth, in case that the newest are not known to the chain yet. */
const COMPARED = 4

/**
 * Expects the chain to be the one that the ledger's rounds were of, and no other fork of it, nor one begun anew that has grown as high.
 * @throws VALIDATOR_OTHER_FORK
 */
export async function mustBeSameChain(
  ledger: { knownBlocks(most: number): readonly BlockRef[] },
  chain: Pick<ChainClient, 'blockHash'>,
): Promise<void> {
  for (const known of ledger.knownBlocks(COMPARED)) await mustFollow(chain, known)
}

/** Expects the limits that the spec names: by others the same answer would be judged otherwise than by other validators. */
function mustShareLimits(found: Hex, folder: string, { name, model }: Pick<SubnetSpec, 'name' | 'model'>): void {
  if (model.thresholds === undefined || model.thresholds === found) return
  throw new SubnetError({
    code: 'VALIDATOR_THRESHOLDS',
    message: `${folder} has the thresholds ${found} in its card, the subnet ${name} judges by ${model.thresholds}; restore the card, or take the version of the spec that pins yours`,
    details: { found, expected: model.thresholds },
  })
}
