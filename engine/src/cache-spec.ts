import { SubnetError } from '@arbor/shared/errors'
import type { InferenceSession } from 'onnxruntime-node'

/** Shape of one of a graph's cache tensors: [rows, heads, length, size]. */
export interface CacheSpec {
  readonly type: 'float32' | 'float16'
  readonly heads: number
  readonly size: number
}

/** Start of the names of a graph's cache inputs, and of its outputs. */
export const KEYS_PAST = 'past_key_values'
const KEYS_PRESENT = 'present'

/** Names the output that goes on from a cache input. */
export const presentOf = (past: string): string => past.replace(KEYS_PAST, KEYS_PRESENT)

/** Names the cache inputs of a graph, in its order. */
export const cacheNames = ({ inputNames }: Pick<InferenceSession, 'inputNames'>): string[] =>
  inputNames.filter((name) => name.startsWith(`${KEYS_PAST}.`))

/**
 * Reads the shapes of the cache inputs.
 * @throws MODEL_UNSUPPORTED when one is neither float32 nor float16 or leaves its sizes open
 */
export const cacheSpecs = (session: InferenceSession): CacheSpec[] =>
  cacheNames(session).map((name) => {
    const about = session.inputMetadata.find((each) => each.name === name)
    if (!about?.isTensor || (about.type !== 'float32' && about.type !== 'float16')) {
      throw unsupported(`has no float32 or float16 cache ${name}`)
    }
    const [, heads, , size] = about.shape
    if (typeof heads !== 'number' || typeof size !== 'number') throw unsupported(`leaves the sizes of ${name} open`)
    return { type: about.type, heads, size }
  })

/** Counts the bytes that one token takes in a cache. */
export const bytesPerToken = (specs: readonly CacheSpec[]): number =>
  specs.reduce((sum, { type, heads, size }) => sum + heads * size * (type === 'float32' ? 4 : 2), 0)

const unsupported = (what: string): SubnetError =>
  new SubnetError({ code: 'MODEL_UNSUPPORTED', message: `The model's graph ${what}; export it as docs/models.md says` })
