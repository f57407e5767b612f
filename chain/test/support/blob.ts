import { readFileSync } from 'node:fs'
import { createExecutor } from '../../src/embedded/runtime/executor.ts'

/** The runtime that comes with Arbor. */
export const blob = (): Uint8Array =>
  new Uint8Array(readFileSync(new URL('../../artifacts/arbor_runtime.wasm', import.meta.url)))

/** Asks a runtime for its metadata, as state_getMetadata answers it: V15 with its length. */
export async function blobMetadata(wasm: Uint8Array = blob()): Promise<Uint8Array> {
  const executor = await createExecutor({ wasm })
  return executor.call('Metadata_metadata_at_version', Uint8Array.of(15, 0, 0, 0)).slice(1)
}
