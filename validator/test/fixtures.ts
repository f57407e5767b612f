import type { Hyperparameters, Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Alpha, Block, Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'

const hash = `0x${'11'.repeat(32)}` as Hex

/** A value's fields without their brands, each optional. */
type Loose<T> = {
  readonly [K in keyof T]?: T[K] extends number
    ? number
    : T[K] extends bigint
      ? bigint
      : T[K] extends string
        ? string
        : T[K]
}

/** A neuron with every field set; tests name what they care about. */
export const neuron = (over: Loose<Neuron> = {}): Neuron => ({
  uid: 1 as Uid,
  hotkey: '5Fhotkey1' as Ss58,
  coldkey: '5Fcoldkey1' as Ss58,
  registeredAt: 5 as Block,
  lastUpdate: 0 as Block,
  active: true,
  validatorPermit: true,
  axon: null,
  alphaStake: 100n as Alpha,
  totalStake: 100n as Alpha,
  incentive: 0,
  dividends: 0,
  consensus: 0,
  validatorTrust: 0,
  emission: 0n as Alpha,
  ...(over as object),
})

export const metagraph = (over: Loose<Metagraph> = {}): Metagraph => ({
  netuid: 1 as NetUid,
  block: { number: 100 as Block, hash },
  tempo: 10 as Blocks,
  lastEpochBlock: 95 as Block,
  epochIndex: 9,
  maxUids: 256,
  ownerHotkey: '5Fowner' as Ss58,
  neurons: [],
  ...(over as object),
})

export const hyperparameters = (over: Loose<Hyperparameters> = {}): Hyperparameters => ({
  tempo: 10 as Blocks,
  weightsRateLimit: 20 as Blocks,
  weightsVersion: 1n,
  minAllowedWeights: 1,
  maxValidators: 64,
  immunityPeriod: 10 as Blocks,
  activityCutoff: 100 as Blocks,
  commitRevealEnabled: false,
  registrationAllowed: true,
  servingRateLimit: 2 as Blocks,
  kappa: 0.5,
  stakeThreshold: 0n as Alpha,
  ...(over as object),
})
