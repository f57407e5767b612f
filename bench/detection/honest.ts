import { openEngine } from '../../engine/src/open.ts'
import type { GenerateRequest, Generation } from '../../shared/src/inference.ts'
import { type RequestOf, requestOf } from './questions.ts'

/** A way in which honest answers come to be; none may be refused. */
export interface Variation {
  readonly name: string
  /** Share of the honest answers. */
  readonly share: number
  readonly threads: number
  /** Rows of the batch. */
  readonly batch: number
  /** Answers after which the engine is opened anew. */
  readonly restartAfter?: number
  /** Lengths vary, and the next answer joins when one leaves. */
  readonly joins?: true
  /** Prompts share a beginning whose cache is kept. */
  readonly shared?: true
}

export const VARIATIONS: readonly Variation[] = [
  { name: 'batch 16', share: 0.3, threads: 1, batch: 16 },
  { name: 'joins and leaves', share: 0.35, threads: 1, batch: 16, joins: true },
  { name: 'reused prefix', share: 0.15, threads: 1, batch: 4, shared: true },
  { name: 'restarts', share: 0.1, threads: 1, batch: 8, restartAfter: 20 },
  { name: '2 threads', share: 0.05, threads: 2, batch: 2 },
  { name: 'one at a time', share: 0.05, threads: 1, batch: 1 },
]

/** An answer and what was asked. */
export interface Answered {
  readonly index: number
  readonly request: GenerateRequest
  readonly answer: Generation
}

/**
 * Answers the questions of one variation as a miner would, at most a batch at once.
 * @param of.indexes questions that are still to be answered
 * @param of.take called with each answer, in no order
 */
export const answerHonestly = async (of: {
  readonly variation: Variation
  readonly folder: string
  readonly indexes: readonly number[]
  readonly about: Omit<RequestOf, 'group' | 'index'>
  readonly take: (answered: Answered) => Promise<void>
}): Promise<void> => {
  const { variation, folder, about } = of
  const { threads, batch, joins, shared, restartAfter = Number.POSITIVE_INFINITY } = variation
  for (let start = 0; start < of.indexes.length; start += restartAfter) {
    const waiting = of.indexes.slice(start, start + restartAfter)
    const engine = await openEngine({ folder, threads, batch })
    const row = async (): Promise<void> => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        const maxTokens = joins === true ? 8 + ((index * 37) % about.maxTokens) : about.maxTokens
        const request = requestOf({
          ...about,
          maxTokens,
          group: variation.name,
          index,
          varied: true,
          shared: shared === true,
        })
        await of.take({ index, request, answer: await engine.generate(request) })
      }
    }
    await Promise.all(Array.from({ length: batch }, row))
    await engine.close()
  }
}
