import type { Signer } from '@arbor/shared/signer'
import type { Alpha, Block, Blocks, Hex, NetUid, Rao, Ss58, Uid } from '@arbor/shared/units'
import type { SealRandomness } from '../timelock/randomness.ts'
import type { BeaconState } from './beacon.ts'
import type { CommitRevealState, PendingCommits } from './commits.ts'
import type { Opened } from './opened.ts'
import type { OwnCommit, Revealed } from './revealed.ts'
import type { PlainWeights, SealedWeights } from './seal-weights.ts'
import type { WeightRules } from './weight-rules.ts'

/** A block by number and hash. */
export interface BlockRef {
  readonly number: Block
  readonly hash: Hex
}

/** Where a neuron says it can be reached. */
export interface AxonInfo {
  /** Dotted IPv4 or IPv6 text. */
  readonly ip: string
  readonly port: number
  readonly version: number
  readonly protocol: number
}

/** One registration in a metagraph; (hotkey, uid, registeredAt) is its identity. */
export interface Neuron {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly coldkey: Ss58
  readonly registeredAt: Block
  readonly lastUpdate: Block
  readonly active: boolean
  readonly validatorPermit: boolean
  /** null while the neuron serves nothing. */
  readonly axon: AxonInfo | null
  /** Alpha staked on the hotkey in this subnet. */
  readonly alphaStake: Alpha
  /** Stake weight that consensus uses: alpha plus weighted root TAO. */
  readonly totalStake: Alpha
  /** Shares in [0, 1], from the chain's u16. */
  readonly incentive: number
  readonly dividends: number
  readonly consensus: number
  readonly validatorTrust: number
  /** Alpha paid at the last epoch. */
  readonly emission: Alpha
}

/** Immutable snapshot of a subnet at one block. */
export interface Metagraph {
  readonly netuid: NetUid
  readonly block: BlockRef
  readonly tempo: Blocks
  readonly lastEpochBlock: Block
  readonly epochIndex: number
  readonly maxUids: number
  readonly ownerHotkey: Ss58
  readonly neurons: readonly Neuron[]
}

/** The hyperparameters that a validator or miner decides by. */
export interface Hyperparameters {
  readonly tempo: Blocks
  readonly weightsRateLimit: Blocks
  readonly weightsVersion: bigint
  readonly minAllowedWeights: number
  readonly maxValidators: number
  readonly immunityPeriod: Blocks
  readonly activityCutoff: Blocks
  readonly commitRevealEnabled: boolean
  readonly registrationAllowed: boolean
  readonly servingRateLimit: Blocks
  readonly kappa: number
  readonly stakeThreshold: Alpha
}

/** A validator's sparse row as the chain stores it; the largest value is 65 535. */
export type WeightRow = readonly (readonly [uid: Uid, weight: number])[]

/** What a hotkey has published in a subnet: one record, which each publication replaces. */
export interface CommittedRecord {
  /** Block in which it was published. */
  readonly block: Block
  /** All fields, as plain data. */
  readonly fields: readonly unknown[]
  /** Those of plain bytes, each at most 128 long, in their order. */
  readonly raw: readonly Uint8Array[]
}

/** A call as a value: what to dispatch, by the names in the chain's metadata. */
export interface Call {
  readonly pallet: string
  readonly call: string
  /** Arguments by metadata name (snake_case). Nested calls are values too. */
  readonly args: Readonly<Record<string, unknown>>
}

/** An event of the block, decoded. */
export interface ChainEvent {
  readonly pallet: string
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

/**
 * What became of an extrinsic. `failed` was included and dispatched with the chain's error; `refused` never entered a block; of `unseen`
 * nobody can tell: a block that may hold it, or what it did there, cannot be read, so only the state that it was to change says.
 * `error` is the chain's name, as SubtensorModule.SettingWeightsTooFast or InvalidTransaction.Payment.
 */
export type Submission =
  | {
      readonly status: 'included' | 'finalised'
      readonly block: BlockRef
      readonly hash: Hex
      readonly events: readonly ChainEvent[]
    }
  | {
      readonly status: 'failed'
      readonly block: BlockRef
      readonly hash: Hex
      readonly error: string
      readonly docs: string
    }
  | { readonly status: 'refused'; readonly code: number; readonly error: string; readonly retryable: boolean }
  | { readonly status: 'unseen'; readonly hash: Hex; readonly error: 'Chain.Unseen' }

/** An extrinsic that may have left: it can be in any block after `birth`, and in none after `lastBlock`. */
export interface Sent {
  /** blake2b-256 of its bytes. */
  readonly hash: Hex
  readonly birth: Block
  readonly lastBlock: Block
}

export interface SubmitOptions {
  readonly signer: Signer
  readonly waitFor?: 'included' | 'finalised'
  /** Blocks for which the extrinsic is valid; a power of two ≥ 4. */
  readonly eraBlocks?: number
  /** Hears of each extrinsic before it leaves, again where it had to be signed anew; what it throws keeps it here. */
  readonly onSigned?: (sent: Sent) => void
  /** Hears of each block that is said to hold it, dispatched without an error; another may in the end. */
  readonly onIncluded?: (block: BlockRef) => void
  readonly signal: AbortSignal
}

/** One shared connection to a chain. Every read takes the block it is true at; none means best. */
export interface ChainClient {
  /** Its first address, without user, path and query. */
  readonly url: string
  /** All its addresses, where there are several. */
  readonly urls?: readonly string[]
  readonly genesisHash: Hex
  readonly specName: string
  readonly specVersion: number
  best(): Promise<BlockRef>
  finalized(): Promise<BlockRef>
  /** null when the chain has no such block yet. */
  blockHash(number: Block): Promise<Hex | null>
  /** Yields each new head, skipping none that arrives while it is awaited for less than 64 blocks. */
  heads(kind: 'best' | 'finalized', signal: AbortSignal): AsyncIterable<BlockRef>
  netuids(at?: Hex): Promise<readonly NetUid[]>
  /** @throws CHAIN_NO_SUBNET when the subnet does not exist */
  metagraph(netuid: NetUid, at?: Hex): Promise<Metagraph>
  /** @throws CHAIN_NO_SUBNET when the subnet does not exist */
  hyperparameters(netuid: NetUid, at?: Hex): Promise<Hyperparameters>
  /** A validator's row; that of the first mechanism where none is named. */
  weights(netuid: NetUid, uid: Uid, at?: Hex, mechanism?: number): Promise<WeightRow>
  /** What decides, beside hyperparameters, whether a hotkey may set or commit weights now. */
  weightRules(of: { netuid: NetUid; mechanism?: number; hotkey: Ss58 }, at?: Hex): Promise<WeightRules>
  /** Records of hotkeys, in their order, read at once; null for one that published nothing. */
  commitments(netuid: NetUid, hotkeys: readonly Ss58[], at?: Hex): Promise<readonly (CommittedRecord | null)[]>
  /** Free balance. */
  balance(account: Ss58, at?: Hex): Promise<Rao>
  /** Price of a registration now. */
  registrationCost(netuid: NetUid, at?: Hex): Promise<Rao>
  /** Price of a new subnet now. */
  subnetCost(at?: Hex): Promise<Rao>
  /** Coldkey that owns a hotkey; null when the hotkey is unknown. */
  owner(hotkey: Ss58, at?: Hex): Promise<Ss58 | null>
  /** Alpha that the coldkey holds on the hotkey in the subnet; over all coldkeys when none is named. */
  stake(of: { hotkey: Ss58; netuid: NetUid; coldkey?: Ss58 }, at?: Hex): Promise<Alpha>
  /** A subnet's rules and clock of commit-reveal. */
  commitReveal(netuid: NetUid, at?: Hex): Promise<CommitRevealState>
  /** Commits that are not opened yet, of one hotkey or of all, each with the blocks in which it is opened. */
  pendingCommits(of: { netuid: NetUid; mechanism?: number; hotkey?: Ss58 }, at?: Hex): Promise<PendingCommits>
  /** The beacon that the chain follows. @throws CHAIN_NO_ITEM when it follows none */
  beacon(at: Hex): Promise<BeaconState>
  /** Seals a row for the round in which the chain opens commits of the next block. @throws WEIGHTS_NO_EPOCH, WEIGHTS_TOO_LARGE */
  sealWeights(of: PlainWeights, random: SealRandomness): Promise<SealedWeights>
  /** Finds when the chain opened or dropped a hotkey's timelocked commit, by the events of the blocks after `from` up to `to`. */
  openedIn(
    of: { netuid: NetUid; mechanism?: number; hotkey: Ss58; committedAt: Block },
    range: { readonly from: Block; readonly to: Block },
  ): Promise<Opened | null>
  /** Compares what the chain holds with what an own commit sealed. */
  revealed(commit: OwnCommit, at?: Hex): Promise<Revealed>
  /** Reads any storage item by metadata name; numbers come as bigint, accounts as SS58, bytes as hex. */
  read(pallet: string, item: string, keys?: readonly unknown[], at?: Hex): Promise<unknown>
  /** Reads a constant of the runtime. */
  constant(pallet: string, name: string): Promise<unknown>
  events(at: Hex): Promise<readonly ChainEvent[]>
  submit(call: Call, options: SubmitOptions): Promise<Submission>
  /**
   * Finds out what became of an extrinsic that an earlier process sent: looks into every finalised block that may hold it, and waits
   * for those to come.
   */
  settle(sent: Sent, signal: AbortSignal): Promise<Submission>
  /** Tells when each of these uids was registered last; 0 for one that nobody holds. */
  registeredAt(netuid: NetUid, uids: readonly Uid[], at?: Hex): Promise<readonly Block[]>
  /** Idempotent. */
  close(): Promise<void>
}
