import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockRef } from '@arbor/chain/client/types'
import { trainLocally } from '@arbor/engine/train/local'
import type { Trainer } from '@arbor/engine/train/types'
import { aborted } from '@arbor/shared/aborted'
import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Layout } from '@arbor/shared/training'
import type { Block, Blocks, Hex, Ms, NetUid, Uid } from '@arbor/shared/units'
import { trainingAttackOf } from '@arbor/subnet-spec/finetune/attacks/list'
import { checkpointName } from '@arbor/subnet-spec/finetune/checkpoint'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import { phasesOf } from '@arbor/subnet-spec/finetune/phases'
import { TINY_TERMS } from '@arbor/subnet-spec/finetune/terms'
import type { Checkpoint, MergePlan, TrainingTerms, UpdateCommitment } from '@arbor/subnet-spec/finetune/types'
import { openBlobStore } from '@arbor/training/blob-store'
import type { UpdateStore } from '@arbor/training/sources/s3'
import { takeStepsOf } from '@arbor/training/train-to'
import type { Committed, Merged, RoundEvent } from '@arbor/training/types'
import { openJournal } from '../../src/training/journal.ts'
import { createPieces } from '../../src/training/pieces.ts'
import { runTraining } from '../../src/training/run.ts'
import type { TrainingDeps, TrainingProgress } from '../../src/training/types.ts'
import { openVictims } from '../../src/training/victim.ts'

export const SIZE = 17_000 // two pieces a file
export const hotkey = keypairFromUri('//Miner').address
export const other = keypairFromUri('//Other').address
export const netuid = 3 as NetUid
const genesisHash: Hex = `0x${'ab'.repeat(32)}`
const layout: Layout = { tensors: [{ name: 'w', shape: [SIZE], offset: 0, length: SIZE }], size: SIZE }

export const terms: TrainingTerms = {
  ...TINY_TERMS,
  data: { name: 'none', hash: `0x${'00'.repeat(32)}` },
  local: { ...TINY_TERMS.local, steps: 6, batch: 2, length: 8 },
  gauntlet: { ...TINY_TERMS.gauntlet, segments: 3 },
}

/** A model whose loss is half the squared distance to what its windows say: its gradient is exact. */
export const quadraticTrainer = (of: { readonly beforeStep?: (pass: number) => Promise<void> } = {}): Trainer => {
  let passes = 0
  return {
    layout,
    provider: 'cpu',
    initial: () => new Float32Array(SIZE),
    gradient: async ({ params, windows, into }) => {
      await of.beforeStep?.(passes)
      passes += 1
      let loss = 0
      for (const [index, value] of params.entries()) {
        const token = windows.tokens[(windows.starts[index % windows.starts.length] ?? 0) + (index % 8)] ?? 0
        const gap = value - token / 1_000
        into[index] = gap / SIZE
        loss += (gap * gap) / 2
      }
      return loss / SIZE
    },
    loss: async () => 0,
    close: async () => undefined,
  }
}

export const blockAt = (number: number): BlockRef => ({
  number: number as Block,
  hash: toHex(Uint8Array.from({ length: 32 }, (_, index) => (number * 31 + index) % 256)),
})

export const phasesAt = (round: number) => phasesOf({ terms: terms.phases, length: 10 as Blocks, round })

const spec = { name: 'quadratic', version: 1 }
export const checkpointAt = (round: number): { readonly checkpoint: Checkpoint; readonly hash: Hex } => {
  const checkpoint = { round, spec, params: new Float32Array(SIZE).fill(round / 100), outer: new Float32Array(SIZE) }
  return { checkpoint, hash: checkpointName(checkpoint) }
}

/** A training miner on a folder, with the chain's part played by the test; a second one on the same folder is the first after a kill. */
export const openHarness = (of: {
  readonly folder: string
  readonly attack?: string
  readonly trainer?: Trainer
  readonly commit?: (commitment: UpdateCommitment, signal: AbortSignal) => Promise<Block>
  readonly updates?: UpdateStore
  readonly cheatFrom?: string
  readonly current?: () => ReturnType<typeof checkpointAt> | null
  readonly uid?: () => Uid | null
}) => {
  const { folder, attack, trainer = quadraticTrainer() } = of
  const stop = new AbortController()
  const clock = createManualClock()
  const lines: Record<string, unknown>[] = []
  const log = createLogger({
    name: 'miner',
    level: 'info',
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  })
  const committed: UpdateCommitment[] = []
  let round = 0
  const store = openBlobStore({ folder: join(folder, 'training') })
  const merged = openBlobStore({ folder: join(folder, 'blobs') })
  const journal = openJournal({ file: join(folder, 'training.sqlite'), owner: { genesisHash, netuid, hotkey } })
  const pieces = createPieces(store)
  const optimiser = optimiserOf({ terms: terms.optimiser, layout })
  const progress: TrainingProgress = {
    round: null,
    step: 0,
    loss: null,
    tokens: 0,
    bytesSent: 0,
    committed: 0,
    skipped: 0,
  }
  const handler = Promise.withResolvers<(event: RoundEvent, merged: Merged | null) => Promise<void>>()
  const deps: TrainingDeps = {
    netuid,
    hotkey,
    terms,
    optimiser,
    layout,
    store,
    journal,
    pieces,
    progress,
    clock,
    log,
    tokens: Uint16Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 1_000),
    participant: {
      current: of.current ?? (() => checkpointAt(round)),
      run: async (on, signal) => {
        handler.resolve(on)
        await aborted(signal)
      },
    },
    trainer: ({ onStep, signal }) =>
      takeStepsOf({ optimiser, trainer, terms: terms.local, trainLocally, onStep, signal }),
    uid: of.uid ?? (() => 4 as Uid),
    commit: async (commitment, signal) => {
      committed.push(commitment)
      return of.commit === undefined ? ((phasesAt(commitment.round).start + 2) as Block) : of.commit(commitment, signal)
    },
    updates: of.updates ?? null,
    attack: attack === undefined ? null : trainingAttackOf(attack),
    victims: openVictims({ from: of.cheatFrom ?? null, hotkey, store: merged, clock }),
  }
  const running = runTraining(deps, stop.signal)
  const emit = async (event: RoundEvent, done: Merged | null = null): Promise<void> =>
    (await handler.promise)(event, done)
  return {
    ...{ deps, lines, committed, store, merged, journal, pieces, progress, clock, running },
    events: (name: string) => lines.filter(({ event }) => event === name),
    start: (at: number, isPast = false) => {
      round = at
      const phases = phasesAt(at)
      return emit({ kind: 'start', phases, block: blockAt(phases.start), isPast })
    },
    /** Ends a round's time to publish, with what the chain has then. */
    publish: (
      at: number,
      commitments: readonly Committed[] = committed.filter((each) => each.round === at).map(onChain),
    ) => {
      const phases = phasesAt(at)
      return emit({ kind: 'published', phases, block: blockAt(phases.publishBy), commitments, isPast: false })
    },
    vote: (at: number, plan: MergePlan) => {
      const phases = phasesAt(at)
      const { checkpoint, hash } = checkpointAt(at + 1)
      const done = { plan, before: checkpointAt(at).hash, checkpoint, hash }
      return emit({ kind: 'voted', phases, block: blockAt(phases.voteBy), plan, voters: [], isPast: false }, done)
    },
    /** Ends it as a kill does: nothing is written any more. */
    kill: async () => {
      stop.abort()
      await running
      journal.close()
    },
  }
}

export const onChain = (commitment: UpdateCommitment): Committed => ({
  uid: 4 as Uid,
  hotkey,
  commitment,
  block: phasesAt(commitment.round).start + 2,
})

/** Waits until a condition holds; what it waits for runs in this process. */
export const until = async (holds: () => boolean): Promise<void> => {
  for (let turns = 0; !holds(); turns += 1) {
    if (turns > 5_000) throw new Error('it never came to be')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Makes a folder that goes with the test. */
export const folderFor = (cleanups: (() => void)[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-training-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const AGAIN_MS = 1_000 as Ms
