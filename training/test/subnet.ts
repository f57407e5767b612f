import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blobName } from '@arbor/shared/blob'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Blocks, Hex, Uid } from '@arbor/shared/units'
import { basePrefix } from '@arbor/subnet-spec/finetune/records'
import type { UpdateCommitment } from '@arbor/subnet-spec/finetune/types'
import { encodeUpdate } from '@arbor/subnet-spec/finetune/update'
import { openBlobStore } from '../src/blob-store.ts'
import { createParticipant, type ParticipantDeps } from '../src/participant.ts'
import { unavailable } from '../src/pieces.ts'
import type { BlobSource, BlobStore, Merged, RoundEvent } from '../src/types.ts'
import { hex32, hotkeyOf, layout, type Net, netuid, optimiser, training, until, vectorOf } from './support.ts'

/** Serves a store's files, as a validator does. */
export const serving = (store: BlobStore): BlobSource => ({
  fetch: async ({ name }) => {
    const file = store.read(name)
    if (file === null) throw unavailable(name, 'status 404')
    return file
  },
})

/** One participant on a disk of its own, which can be killed and started again. */
export const createMember = (of: {
  readonly net: Net
  readonly folder: string
  /** Stores by the address that a validator's anchor has. */
  readonly servers: ReadonlyMap<string, BlobSource>
  readonly deps?: Partial<ParticipantDeps>
}) => {
  const { net, folder, servers } = of
  mkdirSync(folder, { recursive: true })
  const clock = createManualClock()
  const seen: string[] = []
  const merges: Merged[] = []
  const said: Record<string, unknown>[] = []
  const failed: unknown[] = []
  let running: { readonly stop: AbortController; readonly done: Promise<void> } | null = null
  const member = {
    store: openBlobStore({ folder: join(folder, 'blobs') }),
    seen,
    merges,
    said,
    failed,
    clock,
    current: (): Hex | null => null,
    round: (): number | null => null,
    /** Called with each event before it counts as handled. */
    on: async (_: RoundEvent): Promise<void> => undefined,
    start: (): void => {
      member.store = openBlobStore({ folder: join(folder, 'blobs') })
      const participant = createParticipant({
        chain: net.chain,
        netuid,
        spec: { name: 'tiny', version: 1, roundsPerEpoch: 1, training },
        length: 10 as Blocks,
        size: layout.size,
        optimiser,
        genesis: () => vectorOf('the model'),
        store: member.store,
        folder,
        privateAllowed: false,
        clock,
        log: { info: (fields) => void said.push({ ...fields }), warn: (fields) => void said.push({ ...fields }) },
        serverOf: (url) =>
          servers.get(url) ?? { fetch: async ({ name }) => Promise.reject(unavailable(name, 'nobody')) },
        ...of.deps,
      })
      member.current = () => participant.current()?.hash ?? null
      member.round = () => participant.current()?.checkpoint.round ?? null
      const stop = new AbortController()
      const done = participant
        .run(async (event, merged) => {
          await member.on(event)
          if (merged !== null) merges.push(merged)
          seen.push(`${event.phases.round} ${event.kind}`)
        }, stop.signal)
        .catch((error: unknown) => void (stop.signal.aborted || failed.push(error)))
      running = { stop, done }
    },
    /** Ends it wherever it is; what it holds in memory is gone. */
    kill: async (): Promise<void> => {
      running?.stop.abort(new Error('killed'))
      await running?.done
      running = null
    },
    handled: (what: string): Promise<void> => until(() => seen.includes(what), `${what} was handled`),
  }
  return member
}
export type Member = ReturnType<typeof createMember>

/** Makes a miner's update from a checkpoint, and what it commits. */
export const updateOf = (of: { readonly miner: string; readonly round: number; readonly base: Hex }) => {
  const { miner, round, base } = of
  const { payload } = optimiser.encode({
    progress: vectorOf(`${miner} ${round}`).map((value) => value / 100),
    carried: new Float32Array(layout.size),
  })
  const head = {
    version: 1 as const,
    netuid,
    round,
    hotkey: hotkeyOf(miner),
    base,
    optimiser: optimiser.kind,
    size: layout.size,
    states: hex32('states'),
  }
  const file = encodeUpdate({ head, payload })
  const commitment: UpdateCommitment = {
    round,
    name: blobName(file),
    bytes: file.length,
    base: basePrefix(base),
    url: '',
  }
  return { file, commitment }
}

export const uids = (...of: readonly number[]): readonly Uid[] => of as readonly Uid[]

/** Folders of a test, removed after it. */
export const folders = () => {
  const root = mkdtempSync(join(tmpdir(), 'arbor-training-'))
  return {
    of: (name: string): string => join(root, name),
    remove: (): void => rmSync(root, { recursive: true, force: true }),
  }
}
