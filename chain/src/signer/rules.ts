import type { SignPurpose } from '@arbor/shared/signer'

/** What a signer can be asked to sign. */
export type SignKind = SignPurpose['kind']
export const SIGN_KINDS = ['certificate', 'extrinsic', 'synapse', 'head'] as const satisfies readonly SignKind[]

/** Every rule by which a signer refuses, and whether asking again later may help. */
export const RULES = {
  /** The policy signs nothing of this kind, or no such certificate. */
  purpose: { retryable: false },
  /** The key is none of the signer's, or the bytes speak of another one. */
  hotkey: { retryable: false },
  /** The bytes are not what they are said to be, or not in their only spelling. */
  bytes: { retryable: false },
  /** The same bytes could be taken for something of another kind. */
  ambiguous: { retryable: false },
  /** A subnet that the policy does not name. */
  netuid: { retryable: false },
  /** Another chain's genesis. */
  chain: { retryable: false },
  /** A head of a log that contradicts one that was signed. */
  history: { retryable: false },
  /** A certificate that lives longer than the policy allows. */
  lifetime: { retryable: false },
  /** A time that is not near the signer's own. */
  time: { retryable: true },
  /** A call that the policy does not name. */
  call: { retryable: false },
  /** A call that carries calls. */
  nested: { retryable: false },
  /** The chain's call has other arguments than the signer knows. */
  arguments: { retryable: false },
  /** The chain's transactions have a part that the signer does not know. */
  extension: { retryable: false },
  /** Another version of the chain's code than runs now. */
  version: { retryable: true },
  /** Valid for ever, or for longer than the policy allows. */
  era: { retryable: false },
  tip: { retryable: false },
  /** More than the policy lets the hotkey spend. */
  spend: { retryable: true },
  /** More often than the policy allows. */
  rate: { retryable: true },
  /** The signer cannot read the chain's code at the moment. */
  metadata: { retryable: true },
  /** More requests in flight than one connection may have. */
  busy: { retryable: true },
} as const satisfies Readonly<Record<string, { readonly retryable: boolean }>>

export type Rule = keyof typeof RULES

/** A rule that forbids a signature, and what it met; `why` holds no secret. */
export interface Forbidden {
  readonly ok: false
  readonly rule: Rule
  readonly why: string
}

export const forbid = (rule: Rule, why: string): Forbidden => ({ ok: false, rule, why })
