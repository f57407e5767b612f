import type { ChainClient, Neuron } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { NetUid, Ss58 } from '@arbor/shared/units'
import { type SubnetView, viewOf } from './admission/subnet-view.ts'

/** Which hotkey of which wallet serves which subnet. */
export interface Identity {
  readonly netuid: NetUid
  readonly hotkey: Ss58
  /** Folder of wallets. */
  readonly wallets: string
  readonly walletName: string
  readonly hotkeyName: string
}

/**
 * Reads the subnet at the newest finalised block and finds the miner in it; at the best block when it was registered just now.
 * @throws MINER_UNREGISTERED with the command that registers it
 */
export const findSelf = async (of: {
  readonly chain: ChainClient
  readonly identity: Identity
}): Promise<{ readonly view: SubnetView; readonly self: Neuron }> => {
  const { chain, identity } = of
  for (const at of [(await chain.finalized()).hash, (await chain.best()).hash]) {
    const view = viewOf(await chain.metagraph(identity.netuid, at))
    const self = view.find(identity.hotkey)
    if (self !== null) return { view, self }
  }
  const { netuid, hotkey, wallets, walletName, hotkeyName } = identity
  throw new SubnetError({
    code: 'MINER_UNREGISTERED',
    message: `Hotkey ${hotkey} is not registered in subnet ${netuid}; run: arbor register --network ${chain.url} --netuid ${netuid} --wallets "${wallets}" --wallet ${walletName} --hotkey ${hotkeyName}`,
    details: { netuid, hotkey },
  })
}

/** Finalised heads in a row without the hotkey before its registration counts as lost. */
const LOST_AFTER_HEADS = 3
/** Heads that a registration in the best block may take to become final; beyond that its block was abandoned. */
const FINAL_AFTER_HEADS = 100

/** Follows whether the miner is still registered. */
export interface RegistrationWatch {
  /** Takes the view of a new head. @returns the miner's neuron, null while it is missing. @throws MINER_DEREGISTERED */
  see(view: SubnetView): Neuron | null
}

/** Creates a watch that gives up after LOST_AFTER_HEADS heads in a row, once it has seen the registration. */
export const createRegistrationWatch = (identity: Identity): RegistrationWatch => {
  let missing = 0
  let patience = FINAL_AFTER_HEADS
  return {
    see: (view) => {
      const self = view.find(identity.hotkey)
      missing = self === null ? missing + 1 : 0
      if (self !== null) patience = LOST_AFTER_HEADS
      if (missing < patience) return self
      throw new SubnetError({
        code: 'MINER_DEREGISTERED',
        message: `Hotkey ${identity.hotkey} has left subnet ${identity.netuid} by block ${view.metagraph.block.number}; register it again to go on`,
        details: { netuid: identity.netuid, hotkey: identity.hotkey, block: view.metagraph.block.number },
      })
    },
  }
}
