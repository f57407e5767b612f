import { SubnetError } from '@arbor/shared/errors'
import type { GenerateRequest } from '@arbor/shared/inference'

/** The caller gave up; thrown at a token boundary. */
export const aborted = (cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_ABORTED',
    message: 'The generation was stopped by its caller; ask again if it is still wanted',
    cause,
    retryable: true,
  })

/** The backend was closed under the request. */
export const closed = (name: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CLOSED',
    message: `The backend of ${name} is closed; open it again`,
    details: { name },
  })

/** A request that this backend cannot answer so that somebody else can verify it. */
export const notGreedy = ({ temperature, proof }: GenerateRequest): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_GREEDY',
    message: `This backend answers with temperature 0 and proof none only, not with temperature ${temperature} and proof ${proof ?? 'residue'}; serve a subnet that asks so, or another backend`,
    details: { temperature, proof: proof ?? 'residue' },
  })

/** Checks need the model itself. */
export const cannotCheck = (): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_NO_CHECK',
    message: 'This backend only answers; check with the model folder itself, by the backend onnx',
  })

/** A flag or option that makes no sense. */
export const badOption = (what: string, cause?: unknown): SubnetError =>
  new SubnetError({ code: 'ENGINE_BACKEND_OPTION', message: `${what}; correct the option`, cause })
