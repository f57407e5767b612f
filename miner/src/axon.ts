import { serveAxon } from '@arbor/chain/client/calls'
import type { AxonInfo, ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import { PROTOCOL_VERSION } from '@arbor/shared/protocol/limits'
import type { Signer } from '@arbor/shared/signer'
import type { Ms, NetUid } from '@arbor/shared/units'

/** Version and protocol that Arbor's axons announce: that of docs/protocol.md, and 4 as every Bittensor axon does. */
const AXON = { version: PROTOCOL_VERSION, protocol: 4 } as const
const ATTEMPTS = 5
const PAUSE_MS = 2_000 as Ms

/** Tells whether the chain already announces this endpoint. */
export const isAdvertised = (
  axon: AxonInfo | null,
  endpoint: { readonly ip: string; readonly port: number },
): boolean =>
  axon !== null &&
  axon.ip === endpoint.ip &&
  axon.port === endpoint.port &&
  axon.version === AXON.version &&
  axon.protocol === AXON.protocol

/**
 * Announces where the miner is reached and waits until a block holds it; what may pass is tried again.
 * @throws MINER_AXON_REFUSED with the chain's reason
 */
export const advertise = async (of: {
  readonly chain: ChainClient
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly endpoint: { readonly ip: string; readonly port: number }
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}): Promise<void> => {
  const { chain, hotkey, netuid, endpoint, clock, log, signal } = of
  const call = serveAxon({ netuid, axon: { ...endpoint, ...AXON } })
  let reason = ''
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const outcome = await chain.submit(call, { signer: hotkey, waitFor: 'included', signal })
    if (!('error' in outcome)) {
      log.info({ event: 'miner.advertised', ...endpoint, block: outcome.block.number }, 'endpoint announced')
      return
    }
    reason = outcome.error
    log.warn(
      { event: 'miner.advertise_failed', ...endpoint, error: outcome.error, attempt },
      'announcing the endpoint failed',
    )
    if (/InvalidIp|InvalidPort|NotRegistered/.test(outcome.error)) break
    await clock.sleep(PAUSE_MS, signal)
  }
  const fix = /InvalidIp|InvalidPort/.test(reason)
    ? 'give an address that others can reach with --external-ip'
    : 'look the reason up at the chain, then start the miner again'
  throw new SubnetError({
    code: 'MINER_AXON_REFUSED',
    message: `The chain refuses the endpoint ${endpoint.ip}:${endpoint.port}: ${reason}; ${fix}`,
    details: { ...endpoint, error: reason },
  })
}
