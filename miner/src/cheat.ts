import { isLocalChain } from '@arbor/chain/address'
import type { ChainConnection } from '@arbor/chain/client/connect'
import { SubnetError } from '@arbor/shared/errors'

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
