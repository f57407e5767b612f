import { SubnetError } from '@arbor/shared/errors'

/** The caller gave up. */
export const aborted = (position: number, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_ABORTED',
    message: `The generation was stopped after ${position} tokens; ask again if it is still wanted`,
    details: { position },
    cause,
    retryable: true,
  })

/** One answer needs more cache than there is. */
export const neverFits = (tokens: number, bound: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CACHE_FULL',
    message: `Prompt and answer need ${tokens} tokens of cache, and the engine has ${bound}; ask for less, or start it with --cache-tokens ${tokens}`,
    details: { tokens, bound },
    retryable: true,
  })

/** Too many wait for cache already. */
export const full = (running: number, waiting: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CACHE_FULL',
    message: `${running} answers fill the engine's cache and ${waiting} wait for it; send fewer or try again`,
    details: { running, waiting },
    retryable: true,
  })

/** The runtime gave up on a run. */
export const runFailed = (cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_RUN_FAILED',
    message: `The runtime could not compute: ${cause instanceof Error ? cause.message : cause}; try again, with less cache where it lacks memory`,
    cause,
    retryable: true,
  })
