import { isLocalChain } from '@arbor/chain/address'
import type { ChainConnection } from '@arbor/chain/client/connect'
import { SubnetError } from '@arbor/shared/errors'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { TRAINING_ATTACK_NAMES } from '@arbor/subnet-spec/finetune/attacks/list'

/**
 * Expects a development chain of this machine or a private network: cheats are there to try validators, not to earn.
 * @throws MINER_CHEAT_REFUSED
 */
export const mustAllowCheats = async (
  chain: Pick<ChainConnection, 'url' | 'genesisHash' | 'chainType'>,
): Promise<void> => {
  const kind = await chain.chainType()
  if (kind === 'Development' && isLocalChain(chain)) return
  throw new SubnetError({
    code: 'MINER_CHEAT_REFUSED',
    message: `${chain.url} is no local development chain (its kind is ${kind}); leave --cheat out, or try it with npm start -- --zoo`,
    details: { url: chain.url, kind },
  })
}

/**
 * Expects an attack to be one on what the subnet's miners do.
 * @throws MINER_CHEAT_UNFIT
 */
export const mustSuitAttack = (of: {
  readonly spec: Pick<SubnetSpec, 'name' | 'training'>
  readonly cheat: string | null
}): void => {
  const { spec, cheat } = of
  if (cheat === null || TRAINING_ATTACK_NAMES.includes(cheat) === (spec.training !== undefined)) return
  const does = spec.training === undefined ? 'answer questions' : 'train'
  throw new SubnetError({
    code: 'MINER_CHEAT_UNFIT',
    message: `The miners of ${spec.name} ${does}, and --cheat ${cheat} does not fit that; docs/attacks.md and docs/finetune.md list what does`,
    details: { spec: spec.name, cheat },
  })
}
