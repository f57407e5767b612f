import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import type { BlobSource, BlobStore, Committed } from '@arbor/training/types'
import type { Logger } from 'pino'

/** A file of a miner's, or why it is not there. */
export type Fetched =
  | { readonly kind: 'held'; readonly bytes: Uint8Array }
  | { readonly kind: 'unavailable'; readonly why: string }

export interface FetchDeps {
  readonly store: Pick<BlobStore, 'has' | 'read' | 'write'>
  /** Where a miner's files can be had, the best place first: its axon, the URL that it committed. */
  readonly sourcesOf: (committed: Committed) => readonly BlobSource[]
  readonly log: Logger
  /** Hears of bytes that came over the network. */
  readonly onBytes?: (bytes: number) => void
}

/** Miners that are asked at once: each answers piece after piece, and waits for nobody else. */
export const FETCHED_AT_ONCE = 64

/** Takes a file from the store, or from the first place that has it; what came whole stays in the store. */
export async function fetchFile(
  deps: FetchDeps,
  of: { readonly from: Committed; readonly name: Hex; readonly bytes: number },
  signal: AbortSignal,
): Promise<Fetched> {
  const { name, bytes } = of
  const held = deps.store.read(name)
  if (held !== null && held.length === bytes) return { kind: 'held', bytes: held }
  let why = 'its miner serves no axon and named no URL'
  for (const source of deps.sourcesOf(of.from)) {
    if (signal.aborted) return { kind: 'unavailable', why: 'it was not whole in time' }
    try {
      const file = await source.fetch({ name, bytes, signal })
      deps.onBytes?.(file.length)
      deps.store.write(file)
      return { kind: 'held', bytes: file }
    } catch (error) {
      if (signal.aborted) return { kind: 'unavailable', why: 'it was not whole in time' }
      if (!(error instanceof SubnetError)) throw error
      why = `${error.code}: ${error.message}`
    }
  }
  return { kind: 'unavailable', why }
}

/** Does a piece of work for each of many, a few at once, in their order. */
export async function eachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
