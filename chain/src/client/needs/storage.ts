import type { Feature, Shape } from './features.ts'

/** A storage item that Arbor reads. */
export interface StorageNeed {
  readonly keys: readonly string[]
  readonly value: Shape
  readonly for: readonly Feature[]
  /** What is done where the chain has no such item; it is required without this. */
  readonly without?: string
}

const perSubnet = (value: Shape, ...used: Feature[]): StorageNeed => ({ keys: ['u16'], value, for: used })
const schedule = (without: string): StorageNeed => ({ ...perSubnet('u64', 'metagraph', 'timelocked'), without })
const perUid = (value: Shape): StorageNeed => perSubnet(value, 'metagraph')
const ledger: StorageNeed = { keys: ['u16'], value: 'u64', for: ['local'], without: 'it counts as 0' }

/** Every storage item that Arbor reads, by its name in the metadata. */
export const storageNeeds = {
  'System.Account': { keys: ['AccountId'], value: { data: { free: 'u64' } }, for: ['transfer', 'register', 'stake'] },
  'System.Events': { keys: [], value: 'Vec<EventRecord>', for: ['connect'] },
  'System.LastRuntimeUpgrade': { keys: [], value: { spec_version: 'u32' }, for: ['connect'] },
  'Timestamp.Now': { keys: [], value: 'u64', for: ['timelocked', 'beacon'] },
  'SubtensorModule.NetworksAdded': perSubnet('bool', 'metagraph', 'hyperparameters', 'register'),
  'SubtensorModule.SubnetworkN': perUid('u16'),
  'SubtensorModule.Tempo': perSubnet('u16', 'metagraph', 'hyperparameters', 'timelocked'),
  'SubtensorModule.MaxAllowedUids': perUid('u16'),
  'SubtensorModule.SubnetOwnerHotkey': perUid('AccountId'),
  'SubtensorModule.Active': perUid('Vec<bool>'),
  'SubtensorModule.LastUpdate': perUid('Vec<u64>'),
  'SubtensorModule.ValidatorPermit': perUid('Vec<bool>'),
  'SubtensorModule.Incentive': perUid('Vec<u16>'),
  'SubtensorModule.Dividends': perUid('Vec<u16>'),
  'SubtensorModule.Consensus': perUid('Vec<u16>'),
  'SubtensorModule.ValidatorTrust': perUid('Vec<u16>'),
  'SubtensorModule.Emission': perUid('Vec<u64>'),
  'SubtensorModule.LastEpochBlock': schedule('LastMechansimStepBlock is read'),
  'SubtensorModule.SubnetEpochIndex': schedule('epochs are counted by the legacy schedule'),
  'SubtensorModule.LastMechansimStepBlock': { ...perUid('u64'), without: 'the last epoch counts as block 0' },
  'SubtensorModule.PendingEpochAt': schedule('no epoch counts as deferred'),
  'SubtensorModule.TaoWeight': { keys: [], value: 'u64', for: ['metagraph'], without: 'root stake weighs nothing' },
  'SubtensorModule.Keys': { keys: ['u16', 'u16'], value: 'AccountId', for: ['metagraph', 'salted', 'timelocked'] },
  'SubtensorModule.Uids': { keys: ['u16', 'AccountId'], value: 'u16', for: ['register', 'weights'] },
  'SubtensorModule.BlockAtRegistration': {
    keys: ['u16', 'u16'],
    value: 'u64',
    for: ['metagraph', 'salted', 'timelocked'],
  },
  'SubtensorModule.Owner': { keys: ['AccountId'], value: 'AccountId', for: ['metagraph', 'stake'] },
  'SubtensorModule.Axons': {
    keys: ['u16', 'AccountId'],
    value: { ip: 'u128', port: 'u16', version: 'u32', protocol: 'u8', ip_type: 'u8' },
    for: ['metagraph', 'serve'],
  },
  'Commitments.CommitmentOf': {
    keys: ['u16', 'AccountId'],
    value: { block: 'u64', info: { fields: 'Vec<Data>' } },
    for: ['commitments'],
  },
  'Commitments.MaxSpace': { keys: [], value: 'u32', for: ['commitments'], without: 'any record counts as allowed' },
  'Commitments.UsedSpaceOf': {
    keys: ['u16', 'AccountId'],
    value: { last_epoch: 'u64', used_space: 'u64' },
    for: ['commitments'],
    without: 'nothing counts as used',
  },
  'SubtensorModule.TotalHotkeyAlpha': { keys: ['AccountId', 'u16'], value: 'u64', for: ['metagraph', 'stake'] },
  'SubtensorModule.WeightsSetRateLimit': perSubnet('u64', 'hyperparameters'),
  'SubtensorModule.WeightsVersionKey': perSubnet('u64', 'hyperparameters'),
  'SubtensorModule.MinAllowedWeights': perSubnet('u16', 'hyperparameters'),
  'SubtensorModule.MaxAllowedValidators': perSubnet('u16', 'hyperparameters'),
  'SubtensorModule.ImmunityPeriod': perSubnet('u16', 'hyperparameters'),
  'SubtensorModule.CommitRevealWeightsEnabled': perSubnet('bool', 'hyperparameters', 'salted', 'timelocked'),
  'SubtensorModule.NetworkRegistrationAllowed': perSubnet('bool', 'hyperparameters'),
  'SubtensorModule.ServingRateLimit': perSubnet('u64', 'hyperparameters'),
  'SubtensorModule.Kappa': perSubnet('u16', 'hyperparameters'),
  'SubtensorModule.StakeThreshold': { keys: [], value: 'u64', for: ['hyperparameters'] },
  'SubtensorModule.ActivityCutoff': {
    ...perSubnet('u16', 'hyperparameters'),
    without: 'ActivityCutoffFactorMilli is read',
  },
  'SubtensorModule.ActivityCutoffFactorMilli': {
    ...perSubnet('u32', 'hyperparameters'),
    without: 'ActivityCutoff is read',
  },
  'SubtensorModule.Weights': { keys: ['u16', 'u16'], value: 'Vec<(u16,u16)>', for: ['weights'] },
  'SubtensorModule.Burn': perSubnet('u64', 'register'),
  'SubtensorModule.RevealPeriodEpochs': perSubnet('u64', 'salted', 'timelocked'),
  'SubtensorModule.CommitRevealWeightsVersion': {
    keys: [],
    value: 'u16',
    for: ['timelocked'],
    without: 'commits state version 4',
  },
  'SubtensorModule.MaxWeightsLimit': { ...perSubnet('u16', 'weights'), without: 'no weight counts as too large' },
  'SubtensorModule.AdminFreezeWindow': {
    keys: [],
    value: 'u16',
    for: ['weights'],
    without: 'owners count as free to change rules at any time',
  },
  'SubtensorModule.LastRateLimitedBlock': {
    keys: ['RateLimitKey'],
    value: 'u64',
    for: ['weights'],
    without: 'a failed call counts as costing its hotkey no pause',
  },
  'SubtensorModule.MechanismCountCurrent': {
    ...perSubnet('u8', 'beacon'),
    without: 'a subnet counts as one mechanism',
  },
  'SubtensorModule.BlocksSinceLastStep': perSubnet('u64', 'timelocked'),
  'SubtensorModule.WeightCommits': {
    keys: ['u16', 'AccountId'],
    value: 'Vec<([u8;32],u64,u64,u64)>',
    for: ['salted'],
  },
  'SubtensorModule.TimelockedWeightCommits': {
    keys: ['u16', 'u64'],
    value: 'Vec<(AccountId,u64,bytes,u64)>',
    for: ['timelocked'],
  },
  'Drand.LastStoredRound': { keys: [], value: 'u64', for: ['timelocked', 'beacon'] },
  'Drand.BeaconConfig': {
    keys: [],
    value: { public_key: 'bytes', period: 'u32', genesis_time: 'u32' },
    for: ['timelocked', 'beacon'],
  },
  'Drand.Pulses': { keys: ['u64'], value: { signature: 'bytes' }, for: ['beacon'] },
  'SubtensorModule.SubnetAlphaOut': ledger,
  'SubtensorModule.SubnetAlphaBurned': ledger,
  'SubtensorModule.SubnetAlphaDust': ledger,
  'SubtensorModule.PendingServerEmission': ledger,
  'SubtensorModule.PendingValidatorEmission': ledger,
  'SubtensorModule.PendingRootAlphaDivs': ledger,
  'SubtensorModule.PendingOwnerCut': ledger,
} as const satisfies Record<`${string}.${string}`, StorageNeed>

export type StorageName = keyof typeof storageNeeds
