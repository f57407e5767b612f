import { SubnetError } from '@arbor/shared/errors'
import { isSignerError } from '@arbor/shared/signer'

/** Why the chain, its pool or the hotkey's signer did not take weights. */
export type RefusalKind =
  | 'not-registered'
  | 'no-subnet'
  | 'no-mechanism'
  | 'no-permit'
  | 'low-stake'
  | 'version-key'
  | 'too-soon'
  | 'commit-reveal-on'
  | 'commit-reveal-off'
  | 'commits-full'
  | 'commit-unknown'
  | 'commit-differs'
  | 'reveal-early'
  | 'reveal-late'
  | 'commit-version'
  | 'round-public'
  | 'row'
  | 'too-large'
  | 'payment'
  | 'outdated'
  | 'pool-busy'
  | 'pool-known'
  | 'pool-replaced'
  | 'never-included'
  | 'call'
  | 'signer-away'
  | 'signer-refused'
  | 'other'

/**
 * What is done about a refusal. `wait`: the rules say when to try again; `anew`: the next block computes, signs and sends another row;
 * `operator`: a person has to do something first, and it is tried again at the rules' word; `report`: Arbor made a mistake.
 */
export type RefusalCure = 'wait' | 'anew' | 'operator' | 'report'

/** What each refusal means, and what is done about it. */
export const REFUSALS: Readonly<Record<RefusalKind, { readonly cure: RefusalCure; readonly means: string }>> = {
  'not-registered': { cure: 'operator', means: 'the hotkey has no uid there: arbor register' },
  'no-subnet': { cure: 'operator', means: 'the subnet does not exist' },
  'no-mechanism': { cure: 'operator', means: 'the subnet has no such mechanism' },
  'no-permit': { cure: 'wait', means: 'the hotkey has no validator permit; epochs give them by stake' },
  'low-stake': { cure: 'operator', means: 'the stake is below the threshold: arbor stake add' },
  'version-key': { cure: 'operator', means: 'the subnet asks for a later version of the spec' },
  'too-soon': { cure: 'wait', means: 'weights went too short a time ago, or a call of the hotkey has just failed' },
  'commit-reveal-on': { cure: 'anew', means: 'the subnet has turned to committed weights' },
  'commit-reveal-off': { cure: 'anew', means: 'the subnet has turned to weights in the open' },
  'commits-full': { cure: 'wait', means: 'as many commits wait to be opened as may' },
  'commit-unknown': { cure: 'anew', means: 'the chain holds no commit of the hotkey' },
  'commit-differs': { cure: 'report', means: 'no commit has the hash of what was opened' },
  'reveal-early': { cure: 'wait', means: 'the epoch in which the commit is opened has not begun' },
  'reveal-late': { cure: 'anew', means: 'the epoch in which the commit had to be opened is over' },
  'commit-version': { cure: 'anew', means: 'the chain takes sealed rows of another version' },
  'round-public': { cure: 'anew', means: 'the round that the row was sealed for is public' },
  row: { cure: 'report', means: 'the row breaks a rule of the subnet' },
  'too-large': { cure: 'anew', means: 'a sealed row has more bytes than the chain takes; it is committed by its hash' },
  payment: { cure: 'operator', means: 'the hotkey cannot pay: such calls are free for a registered hotkey' },
  outdated: { cure: 'anew', means: 'nonce, birth block or runtime were overtaken while it was signed' },
  'pool-busy': { cure: 'anew', means: 'the pool or the block is full' },
  'pool-known': { cure: 'anew', means: 'the pool has or had these very bytes' },
  'pool-replaced': { cure: 'anew', means: 'another transaction of the hotkey has the nonce' },
  'never-included': { cure: 'anew', means: 'no block took it before its era ended' },
  call: { cure: 'report', means: 'the chain does not take this call, or not signed like this' },
  'signer-away': { cure: 'wait', means: "the hotkey's signer does not answer" },
  'signer-refused': { cure: 'operator', means: "the hotkey's signer refuses by its policy" },
  other: { cure: 'wait', means: 'a refusal that Arbor does not know' },
}

/** Errors of the pallet that setting, committing and revealing can give. */
const PALLET: Readonly<Record<string, RefusalKind>> = {
  HotKeyNotRegisteredInSubNet: 'not-registered',
  HotKeyNotRegisteredInNetwork: 'not-registered',
  HotKeyAccountNotExists: 'not-registered',
  SubnetNotExists: 'no-subnet',
  CanNotSetRootNetworkWeights: 'no-subnet',
  MechanismDoesNotExist: 'no-mechanism',
  NeuronNoValidatorPermit: 'no-permit',
  NotEnoughStakeToSetWeights: 'low-stake',
  IncorrectWeightVersionKey: 'version-key',
  SettingWeightsTooFast: 'too-soon',
  CommittingWeightsTooFast: 'too-soon',
  TxRateLimitExceeded: 'too-soon',
  CommitRevealEnabled: 'commit-reveal-on',
  CommitRevealDisabled: 'commit-reveal-off',
  TooManyUnrevealedCommits: 'commits-full',
  NoWeightsCommitFound: 'commit-unknown',
  InvalidRevealCommitHashNotMatch: 'commit-differs',
  RevealTooEarly: 'reveal-early',
  ExpiredWeightCommit: 'reveal-late',
  IncorrectCommitRevealVersion: 'commit-version',
  InvalidRevealRound: 'round-public',
  WeightVecNotEqualSize: 'row',
  WeightVecLengthIsLow: 'row',
  UidsLengthExceedUidsInSubNet: 'row',
  UidVecContainInvalidOne: 'row',
  DuplicateUids: 'row',
  MaxWeightExceeded: 'row',
  InputLengthsUnequal: 'call',
  InvalidValue: 'call',
}

/** Words of transaction validity, and of the pool's own refusals. */
const TRANSACTION: Readonly<Record<string, RefusalKind>> = {
  'InvalidTransaction.HotKeyAccountNotExists': 'not-registered',
  'InvalidTransaction.NotRegisteredInNetwork': 'not-registered',
  'InvalidTransaction.UidNotFound': 'not-registered',
  'InvalidTransaction.SubnetNotExists': 'no-subnet',
  'InvalidTransaction.StakeTooLow': 'low-stake',
  'InvalidTransaction.TxRateLimitExceeded': 'too-soon',
  'InvalidTransaction.InputLengthsUnequal': 'call',
  'InvalidTransaction.BadRequest': 'call',
  'InvalidTransaction.Payment': 'payment',
  'InvalidTransaction.Stale': 'outdated',
  'InvalidTransaction.Future': 'outdated',
  'InvalidTransaction.AncientBirthBlock': 'outdated',
  'InvalidTransaction.BadProof': 'outdated',
  'InvalidTransaction.ExhaustsResources': 'pool-busy',
  'InvalidTransaction.Expired': 'never-included',
  'InvalidTransaction.BadMandatory': 'call',
  'InvalidTransaction.BadSigner': 'call',
  'InvalidTransaction.Call': 'call',
  InvalidTransaction: 'outdated',
  UnknownTransaction: 'pool-busy',
  'Pool.TemporarilyBanned': 'pool-known',
  'Pool.AlreadyImported': 'pool-known',
  'Pool.PriorityTooLow': 'pool-replaced',
  'Pool.NonceConflict': 'pool-replaced',
  'Pool.Usurped': 'pool-replaced',
  'Pool.CycleDetected': 'outdated',
  'Pool.ImmediatelyDropped': 'pool-busy',
  'Pool.Dropped': 'pool-busy',
  'Pool.Unactionable': 'call',
}

/** What the client itself refuses to seal. */
const SEALING: Readonly<Record<string, RefusalKind>> = {
  WEIGHTS_TOO_LARGE: 'too-large',
  WEIGHTS_NO_EPOCH: 'reveal-early',
  CHAIN_TOO_YOUNG: 'reveal-early',
}

/** Types an error of sealing a row; null when it is another. */
export const sealingRefusal = (error: unknown): Refusal | null => {
  const kind = error instanceof SubnetError ? SEALING[error.code] : undefined
  return kind === undefined || !(error instanceof SubnetError)
    ? null
    : { kind, error: `${error.code}: ${error.message}`, ...REFUSALS[kind] }
}

/** Names of refusals that Arbor knows, for the test that compares them with the chain's metadata and with the client. */
export const KNOWN_REFUSALS = { pallet: PALLET, transaction: TRANSACTION } as const

/** A refusal, by what it means; `error` is the chain's own name. */
export interface Refusal {
  readonly kind: RefusalKind
  readonly cure: RefusalCure
  readonly error: string
  readonly means: string
}

/** Types a refusal by the name that a submission gives it. */
export const refusalOf = (error: string): Refusal => {
  const [pallet = '', name = ''] = error.split('.')
  const kind = TRANSACTION[error] ?? (pallet === 'SubtensorModule' ? PALLET[name] : undefined) ?? 'other'
  return { kind, error, ...REFUSALS[kind] }
}

/** Types what the hotkey's signer threw; null when it is not the signer's. */
export const signerRefusal = (error: unknown): Refusal | null => {
  if (!isSignerError(error)) return null
  const kind = error.retryable ? 'signer-away' : 'signer-refused'
  return { kind, error: `${error.code}: ${error.message}`, ...REFUSALS[kind] }
}
