import type { Check, GenerateRequest, Generation, InferenceEngine, Provider } from '@arbor/shared/inference'
import { openForge } from '../attacks/forge.ts'
import type { OpenEngineOptions, OpenedEngine } from '../open.ts'
import { openEngine } from '../open.ts'
import { floorThresholds } from './floors.ts'

/** One answer with what a check measured of it. */
export interface Measured {
  readonly request: GenerateRequest
  readonly tokens: number
  /** Of the validator. */
  readonly provider: Provider
  readonly check: Check
}

/** A way of running the same model honestly. */
export interface Variation {
  readonly name: string
  readonly options: Pick<OpenEngineOptions, 'threads' | 'batch'> & { readonly providers: readonly Provider[] }
  /** Runs each prompt once before, so that its prefix is known. */
  readonly warm: boolean
}

export interface MeasureDeps {
  readonly folder: string
  /** Validators that judge each answer, one for each provider. */
  readonly validators: readonly OpenedEngine[]
  readonly signal: AbortSignal
}

/** Lists the variations of some providers; each must be able to open the model. */
export const variationsOf = (providers: readonly Provider[]): Variation[] =>
  providers.flatMap((provider): Variation[] => {
    const options = { providers: [provider] }
    return [
      { name: `${provider}, alone`, options: { ...options, threads: 1, batch: 1 }, warm: false },
      {
        name: `${provider}, joined and left batches of up to 16`,
        options: { ...options, threads: 1, batch: 16 },
        warm: false,
      },
      { name: `${provider}, known prefixes`, options: { ...options, threads: 1, batch: 2 }, warm: true },
      ...(provider === 'cpu'
        ? [{ name: 'cpu, 2 threads', options: { ...options, threads: 2, batch: 1 }, warm: false }]
        : []),
    ]
  })

/** Opens the validators that measure: their limits are only where calibration starts from. */
export const openValidators = async (folder: string, providers: readonly Provider[]): Promise<OpenedEngine[]> => {
  const opened: OpenedEngine[] = []
  for (const provider of providers) {
    const thresholds = (['fp32', 'fp16', 'int8'] as const).flatMap((profile) => floorThresholds({ profile, provider }))
    opened.push(await openEngine({ folder, providers: [provider], thresholds }))
  }
  return opened
}

/** Answers requests in one variation and checks each answer. */
export const measureHonest = async (
  deps: MeasureDeps,
  variation: Variation,
  requests: readonly GenerateRequest[],
): Promise<Measured[]> => {
  const engine = await openEngine({ folder: deps.folder, ...variation.options })
  try {
    const { signal } = deps
    if (variation.warm) for (const request of requests) await engine.generate({ ...request, maxTokens: 1 }, { signal })
    const answers = await Promise.all(requests.map((request) => engine.generate(request, { signal })))
    return await checkAll(deps, requests, answers)
  } finally {
    await engine.close()
  }
}

/**
 * Answers requests with a cheaper copy that claims to be the model: once with the copy's own proofs, and once with those that the
 * honest model gives of the copy's tokens.
 */
export const measureCopy = async (
  deps: MeasureDeps,
  of: {
    readonly copy: string
    readonly requests: readonly GenerateRequest[]
    readonly claims: InferenceEngine['model']
  },
): Promise<{ readonly own: Measured[]; readonly forged: Measured[] }> => {
  const { copy, requests, claims } = of
  const cheap = await openEngine({ folder: copy, claims, batch: 8 })
  const forge = await openForge({ folder: deps.folder })
  try {
    const { signal } = deps
    const answers = await Promise.all(requests.map((request) => cheap.generate(request, { signal })))
    const forged: Generation[] = []
    for (const [index, answer] of answers.entries()) {
      const request = requests[index]
      if (request !== undefined) forged.push({ ...answer, fingerprint: await forge.prove(request, answer.tokens) })
    }
    return { own: await checkAll(deps, requests, answers), forged: await checkAll(deps, requests, forged) }
  } finally {
    await cheap.close()
    await forge.close()
  }
}

const checkAll = async (
  { validators, signal }: MeasureDeps,
  requests: readonly GenerateRequest[],
  answers: readonly Generation[],
): Promise<Measured[]> => {
  const measured: Measured[] = []
  for (const [index, request] of requests.entries()) {
    for (const validator of validators) {
      signal.throwIfAborted()
      const answer = answers[index]
      if (answer === undefined) continue
      const check = await validator.check(request, answer)
      measured.push({ request, tokens: answer.tokens.length, provider: validator.provider, check })
    }
  }
  return measured
}
