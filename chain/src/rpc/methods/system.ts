import { toHex } from '@arbor/shared/hex'
import { reader } from '../../embedded/scale.ts'
import type { Method, MethodDeps } from '../method.ts'
import { accountParam, bytesParam, hashParam } from '../params.ts'

/** What a network of one process answers: it has no peers and is never behind. */
export const HEALTH = { peers: 0, isSyncing: false, shouldHavePeers: false } as const

/** @source bittensor: SS58 prefix 42, 1 TAO = 10⁹ rao */
const PROPERTIES = { ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' } as const

/** Makes the methods about the process and its accounts. */
export const systemMethods = ({
  chain,
  reads,
  pool,
  identity,
}: Pick<MethodDeps, 'chain' | 'reads' | 'pool' | 'identity'>): Record<string, Method> => {
  /** Counts what waits in the pool too, so that one sender can submit several in a row. */
  const accountNextIndex: Method = ([account]) => {
    const key = accountParam(account)
    const nonce = reader(reads.call('AccountNonceApi_account_nonce', key, null)).u32()
    return pool.nextNonce(key, nonce)
  }
  const dryRun: Method = ([extrinsic, hash]) =>
    toHex(reads.call('BlockBuilder_apply_extrinsic', bytesParam(extrinsic, 'extrinsic'), hashParam(hash)))
  const syncState: Method = () => {
    const { number } = chain.best().header
    return { startingBlock: 0, currentBlock: number, highestBlock: number }
  }

  return {
    system_name: () => 'Arbor',
    system_version: () => identity.version,
    system_chain: () => identity.name,
    system_chainType: () => identity.type,
    system_properties: () => PROPERTIES,
    system_health: () => HEALTH,
    system_peers: () => [],
    system_nodeRoles: () => ['Authority'],
    system_localListenAddresses: () => [],
    system_syncState: syncState,
    system_dryRun: dryRun,
    system_dryRunAt: dryRun,
    system_accountNextIndex: accountNextIndex,
    account_nextIndex: accountNextIndex,
  }
}
