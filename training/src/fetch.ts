import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { unavailable } from './pieces.ts'
import type { BlobSource, BlobStore } from './types.ts'

/** A file by its name, its length, and who may have it, in the order in which they are asked. */
export interface Wanted {
  readonly name: Hex
  readonly bytes: number
  readonly sources: readonly BlobSource[]
}

/** Takes a file from the store, else from the first source that gives it, and keeps it. @throws BLOB_UNAVAILABLE when none does */
export async function fetchInto(store: BlobStore, of: Wanted & { readonly signal: AbortSignal }): Promise<Uint8Array> {
  const { name, bytes, sources, signal } = of
  const held = store.read(name)
  if (held !== null) return held
  const reasons: string[] = []
  for (const source of sources) {
    try {
      const file = await source.fetch({ name, bytes, signal })
      store.write(file)
      return file
    } catch (error) {
      signal.throwIfAborted()
      if (!isOfBlob(error)) throw error
      reasons.push(error.message)
    }
  }
  throw unavailable(name, reasons.length === 0 ? 'nobody says that they have it' : reasons.join('; '))
}

/** Tells an error of one source, or of all, from one that more sources do not help against. */
export const isOfBlob = (error: unknown): error is SubnetError =>
  error instanceof SubnetError && (error.code === 'BLOB_UNAVAILABLE' || error.code === 'BLOB_MISMATCH')
