import type { Feature, Shape } from './features.ts'

/** A runtime API that Arbor calls. */
export interface ApiNeed {
  readonly inputs: readonly string[]
  readonly output: Shape
  readonly for: readonly Feature[]
  readonly without?: string
}

/** Every runtime API that Arbor calls, as Api.method. */
export const apiNeeds = {
  'SubnetInfoRuntimeApi.get_subnet_state': {
    inputs: ['u16'],
    output: { hotkeys: 'Vec<AccountId>', total_stake: 'Vec<u64>' },
    for: ['metagraph'],
    without: 'stake weights are computed from storage, without child keys',
  },
  'StakeInfoRuntimeApi.get_stake_info_for_hotkey_coldkey_netuid': {
    inputs: ['AccountId', 'AccountId', 'u16'],
    output: { stake: 'u64' },
    for: ['stake'],
  },
  'SubnetRegistrationRuntimeApi.get_network_registration_cost': { inputs: [], output: 'u64', for: ['subnet'] },
} as const satisfies Record<`${string}.${string}`, ApiNeed>

export type ApiName = keyof typeof apiNeeds

/** A constant that Arbor reads. */
export interface ConstantNeed {
  readonly value: string
  readonly for: readonly Feature[]
}

/** Every constant that Arbor reads. */
export const constantNeeds = {
  'Balances.ExistentialDeposit': { value: 'u64', for: ['register', 'stake', 'subnet'] },
} as const satisfies Record<`${string}.${string}`, ConstantNeed>

/** An event that Arbor understands. */
export interface EventNeed {
  /** Fields by name that are read; unnamed fields have their number. */
  readonly fields: Readonly<Record<string, Shape>>
  readonly for: readonly Feature[]
  readonly without?: string
}

/** Every event that decides what Arbor says of a submission. */
export const eventNeeds = {
  'System.ExtrinsicFailed': { fields: { dispatch_error: 'DispatchError' }, for: ['connect'] },
  'Utility.BatchInterrupted': { fields: { error: 'DispatchError' }, for: ['settings', 'local'] },
  'Utility.ItemFailed': {
    fields: { error: 'DispatchError' },
    for: ['local'],
    without: 'only batches that go on after a failure have it',
  },
  'SubtensorModule.TimelockedWeightsRevealed': {
    fields: {},
    for: ['timelocked'],
    without: 'the row itself tells that a commit was opened',
  },
  'SubtensorModule.TimelockedWeightsDropped': {
    fields: {},
    for: ['timelocked'],
    without: 'a commit that was lost is told without a reason',
  },
  'Sudo.Sudid': { fields: { sudo_result: 'Result<(),DispatchError>' }, for: ['local'] },
} as const satisfies Record<`${string}.${string}`, EventNeed>

export type EventName = keyof typeof eventNeeds

/** An error of a pallet that Arbor decides by. */
export interface ErrorNeed {
  readonly for: readonly Feature[]
  readonly without: string
}

/** A chain without an error refuses by another, which is told as the chain words it. */
const deciding = (feature: Feature): ErrorNeed => ({ for: [feature], without: 'other errors are told as they are' })
const serving = deciding('serve')
const weighing = deciding('weights')
const revealing = deciding('salted')
const sealing = deciding('timelocked')

/** Every error that Arbor knows by name; others are told as the chain words them. */
export const errorNeeds = {
  'SubtensorModule.InvalidIpType': serving,
  'SubtensorModule.InvalidIpAddress': serving,
  'SubtensorModule.HotKeyNotRegisteredInSubNet': serving,
  'SubtensorModule.HotKeyNotRegisteredInNetwork': serving,
  'SubtensorModule.InvalidPort': serving,
  'SubtensorModule.CommitRevealEnabled': weighing,
  'SubtensorModule.CommitRevealDisabled': revealing,
  'SubtensorModule.NoWeightsCommitFound': revealing,
  'SubtensorModule.InvalidRevealCommitHashNotMatch': revealing,
  'SubtensorModule.TooManyUnrevealedCommits': revealing,
  'SubtensorModule.ExpiredWeightCommit': revealing,
  'SubtensorModule.RevealTooEarly': revealing,
  'SubtensorModule.CommittingWeightsTooFast': revealing,
  'SubtensorModule.IncorrectCommitRevealVersion': sealing,
  'SubtensorModule.InvalidRevealRound': sealing,
} as const satisfies Record<`${string}.${string}`, ErrorNeed>

export type ErrorName = keyof typeof errorNeeds
