import { allowsPrivate, type PrivateAddresses } from '@arbor/chain/address'
import type { ChainClient } from '@arbor/chain/client/types'
import { aborted } from '@arbor/shared/aborted'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import { DEFAULT_LIFETIME_MS } from '@arbor/shared/protocol/limits'
import type { Signer } from '@arbor/shared/signer'
import type { Loop } from '@arbor/shared/supervise'
import type { Ms, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { ASK_LIMITS } from '@arbor/validator/dendrite/ask'
import { type Dendrite, openDendrite } from '@arbor/validator/dendrite/open'
import type { RouterLimits } from './routing/router.ts'

/** The gateway's own dendrite: a thread and a session of its own, with the validator's hotkey. */
export interface OwnDendrite extends AsyncDisposable {
  readonly ask: Dendrite['ask']
  readonly registered: Dendrite['registered']
  /** Ends the process when the dendrite is dead: without it every request would fail for ever. */
  readonly watch: Loop
}

/** Opens it. Questions and answers are sealed, so that each piece of a stream is the miner's before its end is signed. */
export const openOwnDendrite = (of: {
  readonly chain: Pick<ChainClient, 'genesisHash' | 'url'>
  readonly spec: SubnetSpec
  readonly specifier: string
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly limits: RouterLimits
  readonly privateAddresses: PrivateAddresses
  readonly clock: Clock
  readonly log: Logger
}): OwnDendrite => {
  const { chain, spec, specifier, hotkey, netuid, limits, privateAddresses, clock, log } = of
  const dendrite = openDendrite({
    spec,
    specifier,
    signer: hotkey,
    netuid,
    genesisHash: chain.genesisHash,
    clock,
    log,
    limits: { ...ASK_LIMITS, inFlight: limits.inFlight, perMiner: limits.perMiner },
    isSealed: true,
    proof: 'mac',
    privateAllowed: allowsPrivate(privateAddresses, chain),
    speaksBittensor: false,
    sessionMs: DEFAULT_LIFETIME_MS as Ms,
  })
  const dead = Promise.withResolvers<never>()
  dead.promise.catch(() => undefined) // the loop hears of it, when it runs
  return {
    registered: dendrite.registered,
    ask: async (...question) => {
      try {
        return await dendrite.ask(...question)
      } catch (error) {
        if (error instanceof SubnetError && error.code === 'DENDRITE_DEAD') dead.reject(error)
        throw error
      }
    },
    watch: (signal) => Promise.race([dead.promise, aborted(signal)]),
    [Symbol.asyncDispose]: dendrite.close,
  }
}
