import { SubnetError } from '@arbor/shared/errors'

/** The engine was closed. */
export const closed = (name: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CLOSED',
    message: `The engine of ${name} is closed; open it again`,
    details: { name },
  })

/** The card says nothing about when to believe an answer. */
export const notCalibrated = (
  name: string,
  of: { readonly profile: string; readonly provider: string; readonly proof: string },
): SubnetError =>
  new SubnetError({
    code: 'ENGINE_NOT_CALIBRATED',
    message: `The card of ${name} has no thresholds for ${of.profile} on ${of.provider} and proofs of kind ${of.proof}; run arbor model calibrate ${name}`,
    details: { name, ...of },
  })

/** The card's limits are not those that all validators judge by. */
export const otherThresholds = (name: string, of: { readonly found: string; readonly expected: string }): SubnetError =>
  new SubnetError({
    code: 'MODEL_THRESHOLDS_MISMATCH',
    message: `The thresholds of ${name} have hash ${of.found}, the subnet's spec says ${of.expected}; restore the card, or update the spec`,
    details: { name, ...of },
  })
