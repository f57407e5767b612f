import { SubnetError } from '@arbor/shared/errors'
import type { Decoder } from '../decoder.ts'
import { aborted, full, neverFits, runFailed } from './errors.ts'
import { keepRow, lengthOf, type Remains, regroup, stepGroup } from './groups.ts'
import { cells } from './plan.ts'
import { createPrefixes } from './prefixes.ts'
import type { BatchLimits, BatchStats, Group, Job, Prefill, Sequence } from './types.ts'

/** Runs many sequences on one decoder: each joins what runs already when its prompt has run, and leaves when it ends. */
export interface RunningBatch {
  /**
   * Runs a sequence to its end.
   * @throws ENGINE_CACHE_FULL, ENGINE_ABORTED, ENGINE_RUN_FAILED (all retryable), or what its `next` throws
   */
  run(sequence: Sequence): Promise<void>
  stats(): BatchStats
  /** Ends every sequence with this error at the next token boundary, and then returns. */
  close(error: SubnetError): Promise<void>
}

/** Tokens of prompts that run between two steps: many while nothing else runs, fewer for each prompt beside answers, which wait. */
const PIECE = { most: 512, beside: 64 }

/** Starts an empty batch. */
export const createBatch = (of: { readonly decoder: Decoder; readonly limits: BatchLimits }): RunningBatch => {
  const { decoder, limits } = of
  const prefixes = createPrefixes({ decoder, tokens: limits.prefixTokens })
  const waiting: Job[] = []
  const open = new Set<Job>() // taken, and not ended in one way or the other
  let prefills: Prefill[] = []
  let groups: Group[] = []
  const counts = { prefills: 0, steps: 0, drawn: 0 }
  let loop: Promise<void> | undefined
  let ending: SubnetError | undefined

  const running = (): number => groups.reduce((sum, { rows }) => sum + rows.length, 0)
  const promised = (): number =>
    prefills.reduce((sum, { job }) => sum + needs(job.sequence), 0) +
    groups.reduce((sum, { rows }) => sum + cells(rows.map(lengthOf)), 0)

  /** Takes waiting sequences in, first come first served, as far as rows and cache go. */
  const admit = async (): Promise<void> => {
    for (let job = waiting[0]; job !== undefined; job = waiting[0]) {
      if (running() + prefills.length >= limits.rows) return
      if (promised() + needs(job.sequence) > limits.cacheTokens) return
      const cache = (await prefixes.take(job.sequence.prompt)) ?? decoder.empty
      waiting.shift()
      prefills.push({ job, cache })
    }
  }

  /** Draws a token for a job; null when it is over, in one way or the other. */
  const draw = (job: Job, logits: Float32Array, hidden: Float32Array): number | null => {
    try {
      const token = job.sequence.next(logits, hidden)
      counts.drawn++
      if (token === null) job.resolve()
      return token
    } catch (error) {
      job.reject(error)
      return null
    }
  }

  /** Runs prompts, first come first served, as far as one turn may. @returns those whose answers go on from here */
  const prefillSome = async (): Promise<Group[]> => {
    const arrived: Group[] = []
    let left = groups.length === 0 ? PIECE.most : Math.min(PIECE.most, PIECE.beside * prefills.length)
    for (let first = prefills[0]; first !== undefined && left > 0; first = prefills[0]) {
      const { prompt } = first.job.sequence
      const piece = prompt.slice(first.cache.length, first.cache.length + left)
      left -= piece.length
      const group = await prefill(first, piece)
      if (group !== null) arrived.push(group)
    }
    return arrived
  }

  /** Runs a piece of a prompt. @returns its group when it has run whole and its answer goes on */
  const prefill = async (first: Prefill, piece: readonly number[]): Promise<Group | null> => {
    const { prompt } = first.job.sequence
    try {
      const step = await decoder.run({ tokens: [piece], cache: first.cache, paddings: [0], rows: [piece.length - 1] })
      counts.prefills++
      decoder.release(first.cache)
      first.cache = step.cache
      if (step.cache.length < prompt.length) return null
      prefills.shift()
      prefixes.keep(prompt, step.cache)
      const next = draw(first.job, step.logits, step.hidden.subarray(step.hidden.length - step.width))
      if (next !== null) return { rows: [{ job: first.job, tokens: [...prompt], next }], cache: step.cache }
    } catch (error) {
      prefills = prefills.filter((each) => each !== first)
      first.job.reject(failure(error))
    }
    decoder.release(first.cache)
    return null
  }

  /** Runs one token of each row of a group; complete answers leave. */
  const step = async (group: Group): Promise<Remains> => {
    try {
      const stepped = await stepGroup(decoder, group)
      counts.steps++
      const rows = []
      for (const [index, row] of group.rows.entries()) {
        const next = draw(row.job, stepped.logits[index] ?? NONE, stepped.hidden[index] ?? NONE)
        if (next === null) await keepRow(decoder, prefixes, stepped.group, row)
        else rows.push(Object.assign(row, { next }))
      }
      return { group: stepped.group, rows }
    } catch (error) {
      for (const row of group.rows) row.job.reject(failure(error))
      return { group, rows: [] }
    }
  }

  /** Lets go of what its caller gave up, or of everything when the batch ends. */
  const sweep = (): void => {
    if (waiting.length + prefills.length === 0) return
    const over = ({ sequence, reject }: Job): boolean => {
      const { signal } = sequence
      if (ending === undefined && !signal?.aborted) return false
      reject(ending ?? aborted(sequence.position(), signal?.reason))
      return true
    }
    for (const job of [...waiting]) if (over(job)) waiting.splice(waiting.indexOf(job), 1)
    prefills = prefills.filter(({ job, cache }) => {
      const gone = over(job)
      if (gone) decoder.release(cache)
      return !gone
    })
  }

  const advance = async (): Promise<void> => {
    sweep()
    await admit()
    const arrived = await prefillSome()
    const parts: (Remains & { readonly arrived: boolean })[] = []
    for (const group of groups) parts.push({ ...leave(await step(group)), arrived: false })
    for (const group of arrived) parts.push({ ...leave({ group, rows: group.rows }), arrived: true })
    groups = await regroup(decoder, parts, limits.cacheTokens - prefillsNeed())
  }
  const prefillsNeed = (): number => prefills.reduce((sum, { job }) => sum + needs(job.sequence), 0)
  const leave = ({ group, rows }: Remains): Remains => ({
    group,
    rows: rows.filter(({ job }) => {
      const { signal } = job.sequence
      if (ending === undefined && !signal?.aborted) return true
      job.reject(ending ?? aborted(job.sequence.position(), signal?.reason))
      return false
    }),
  })

  const work = async (): Promise<void> => {
    try {
      while (waiting.length + prefills.length + groups.length > 0) await advance()
    } catch (error) {
      waiting.splice(0)
      prefills = []
      groups = []
      for (const job of open) job.reject(failure(error)) // some may be in none of these lists just now
    }
    loop = undefined
  }

  return {
    run: (sequence) =>
      new Promise<void>((resolve, reject) => {
        const tokens = needs(sequence)
        const { signal } = sequence
        if (ending !== undefined) return reject(ending)
        if (signal?.aborted) return reject(aborted(0, signal.reason))
        if (tokens > limits.cacheTokens) return reject(neverFits(tokens, limits.cacheTokens))
        if (waiting.length >= limits.waiting) return reject(full(running() + prefills.length, waiting.length))
        const job: Job = {
          sequence,
          resolve: () => {
            open.delete(job)
            resolve()
          },
          reject: (error) => {
            open.delete(job)
            reject(error)
          },
        }
        open.add(job)
        waiting.push(job)
        loop ??= work()
      }),
    stats: () => ({
      running: running(),
      prefilling: prefills.length,
      waiting: waiting.length,
      groups: groups.length,
      cacheTokens: promised(),
      ...counts,
      prefixes: prefixes.stats(),
    }),
    close: async (error) => {
      ending ??= error
      await loop
      prefixes.clear()
    },
  }
}

const NONE = new Float32Array(0)

/** Counts the tokens of cache that a sequence takes by itself when it is as long as it may be. */
const needs = ({ prompt, maxTokens }: Sequence): number => prompt.length + maxTokens

const failure = (error: unknown): unknown => (error instanceof SubnetError ? error : runFailed(error))
