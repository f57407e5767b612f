import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { checkpointBytes, decodeCheckpoint } from '@arbor/subnet-spec/finetune/checkpoint'
import type { Checkpoint } from '@arbor/subnet-spec/finetune/types'
import { httpSource } from '@arbor/training/sources/http'
import type { TrainingHistory } from './history.ts'
import type { SourceOptions } from './source.ts'

/** Where a validator keeps its files, below its data folder, and serves them, below its URL. */
const BLOBS = 'blobs'

/** A model that was found under its name. */
export interface FoundCheckpoint {
  readonly name: Hex
  readonly checkpoint: Checkpoint
}

/**
 * Takes the newest model of a history that its validator still has, and checks it by its name.
 * @param of.size elements of the spec's model
 * @throws FINETUNE_NO_CHECKPOINT when it has none; CHECKPOINT_* when one is not what its name says
 */
export async function newestCheckpoint(of: {
  readonly source: SourceOptions
  readonly history: TrainingHistory
  readonly spec: Checkpoint['spec']
  readonly size: number
  readonly cwd: string
  readonly signal: AbortSignal
}): Promise<FoundCheckpoint> {
  const { source, history, spec, size, cwd, signal } = of
  const read = source.url === undefined ? fromFolder(resolve(cwd, source.data)) : fromServer(source.url, of)
  for (const { checkpoint: name } of history.rounds.toReversed()) {
    const file = await read(name, signal)
    if (file !== null) return { name, checkpoint: decodeCheckpoint({ file, size, name, spec }) }
  }
  throw new SubnetError({
    code: 'FINETUNE_NO_CHECKPOINT',
    message: `${source.url ?? source.data} has the model of none of its ${history.rounds.length} rounds; wait for the first merge, or name another validator`,
  })
}

type Read = (name: Hex, signal: AbortSignal) => Promise<Uint8Array | null>

/** Reads a folder that its validator may be writing to: nothing is opened, changed or locked. */
const fromFolder =
  (data: string): Read =>
  async (name) => {
    try {
      return readFileSync(join(data, BLOBS, name.slice(2)))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }

const fromServer =
  (url: string, of: { readonly spec: Checkpoint['spec']; readonly size: number }): Read =>
  async (name, signal) => {
    const partials = mkdtempSync(join(tmpdir(), 'arbor-export-'))
    const folder = `${url}${url.endsWith('/') ? '' : '/'}${BLOBS}/`
    try {
      const server = httpSource({ url: folder, privateAllowed: true, clock: systemClock, partials })
      return await server.fetch({ name, bytes: checkpointBytes(of), signal })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SubnetError && error.code === 'BLOB_UNAVAILABLE') return null
      throw error
    } finally {
      rmSync(partials, { recursive: true, force: true })
    }
  }
