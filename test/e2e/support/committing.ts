import { addStake, adminSet, batchAll, burnedRegister, sudo } from '@arbor/chain/client/calls'
import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Call } from '@arbor/chain/client/types'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid, Rao, Uid } from '@arbor/shared/units'

export const netuid = 1 as NetUid
export const alice = keypairFromUri('//Alice')
export const bob = keypairFromUri('//Bob')
export const validator = keypairFromUri('//Bob//validator')
export const miner = keypairFromUri('//Bob//miner')

/** Registers Bob's validator, with 500 TAO, and his miner on subnet 1, and turns commit-reveal on there. */
export const openCommitReveal = async ({
  chain,
  mustSubmit,
}: {
  readonly chain: ChainConnection
  readonly mustSubmit: (call: Call, signer: Keypair) => Promise<unknown>
}): Promise<{ readonly validator: Uid; readonly miner: Uid }> => {
  await mustSubmit(
    batchAll([
      burnedRegister({ netuid, hotkey: validator.address }),
      burnedRegister({ netuid, hotkey: miner.address }),
      addStake({ netuid, hotkey: validator.address, amount: 500_000_000_000n as Rao }),
    ]),
    bob,
  )
  await mustSubmit(
    batchAll([
      sudo(adminSet('commit_reveal_weights_enabled', { netuid, enabled: true })),
      sudo(adminSet('weights_set_rate_limit', { netuid, weights_set_rate_limit: 0 })),
    ]),
    alice,
  )
  const uidOf = async (key: Keypair): Promise<Uid> =>
    Number(await chain.read('SubtensorModule', 'Uids', [netuid, key.address])) as Uid
  return { validator: await uidOf(validator), miner: await uidOf(miner) }
}
