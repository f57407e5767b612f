import { SubnetError } from '@arbor/shared/errors'
import type { Ss58 } from '@arbor/shared/units'
import { RULES, type Rule } from './rules.ts'

/** Makes the error of a signature that the signer's policy forbids. */
export const refused = (rule: Rule, why: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_REFUSED',
    message: `The signer does not sign this (rule "${rule}"): ${why}; see docs/keys.md for what each rule allows`,
    details: { rule },
    retryable: RULES[rule].retryable,
  })

/** Makes the error of a signer that cannot be asked. */
export const away = (socket: string, why: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_AWAY',
    message: `The signer at ${socket} cannot be asked: ${why}; check that arbor signer runs and that --signer names its socket`,
    details: { path: socket },
    retryable: true,
  })

/** Makes the error of a signer that hangs up on our token. */
export const wrongToken = (socket: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_TOKEN',
    message: `The signer at ${socket} hung up on our token: it has another one, or as many connections as it takes; name its file with --signer-token-file`,
    details: { path: socket },
    retryable: true,
  })

/** Makes the error of a socket behind which something else listens. */
export const otherProtocol = (socket: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_PROTOCOL',
    message: `What listens at ${socket} does not speak as an Arbor signer of this version; run the same version on both sides`,
    details: { path: socket },
  })

/** Makes the error of a key that the signer does not hold, or of a choice among several. */
export const severalKeys = (socket: string, wanted: Ss58 | null, held: readonly Ss58[]): SubnetError =>
  new SubnetError({
    code: 'SIGNER_KEY',
    message:
      wanted === null
        ? `The signer at ${socket} holds ${held.length} hotkeys: ${held.join(', ')}; choose one with --signer-hotkey`
        : `The signer at ${socket} does not hold ${wanted}; it holds ${held.join(', ') || 'none'}`,
    details: { path: socket },
  })

/** Makes the error of a signature that is not of the key that was asked. */
export const wrongKey = (socket: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_PROTOCOL',
    message: `The signer at ${socket} gave no signature of its hotkey over what was asked; run the same version on both sides`,
    details: { path: socket },
  })
