import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Admission } from '../admission/admission.ts'

/** Answers a parsed request; rejects when the signal aborts. */
export type Solve = (of: {
  readonly task: string
  readonly request: unknown
  /** 32 bytes that the answer is made under: they name asker, miner, subnet and request. */
  readonly binding: Hex
  readonly signal: AbortSignal
  /** Takes pieces of the answer's text ahead of it; absent when nobody streams. */
  readonly emit?: ((text: string) => void) | undefined
}) => Promise<unknown>

/** What routes of every protocol share. */
export interface ServingParts {
  readonly clock: Clock
  readonly log: Logger
  readonly spec: SubnetSpec
  readonly receiver: Ss58
  readonly netuid: NetUid
  readonly genesisHash: Hex
  readonly admission: Admission
  readonly solve: Solve
  /** Bytes a second that an answer is written at; null, and absent, for as fast as it is read. There for the attack that drips. */
  readonly pace?: ((of: { readonly task: string; readonly request: unknown }) => number | null) | undefined
}
