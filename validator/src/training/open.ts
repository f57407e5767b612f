import { join } from 'node:path'
import type { RecordKeeper } from '@arbor/chain/client/committed-record'
import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Clock } from '@arbor/shared/clock'
import type { Signer } from '@arbor/shared/signer'
import type { Loop } from '@arbor/shared/supervise'
import type { Block, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Optimiser, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import { openBlobStore } from '@arbor/training/blob-store'
import { createParticipant } from '@arbor/training/participant'
import { putVote } from '@arbor/training/records'
import type { Logger } from 'pino'
import type { ChainView } from '../chain-view.ts'
import type { Meter } from '../health/meter.ts'
import type { Keep } from '../keep.ts'
import type { Ledger } from '../ledger.ts'
import type { Route } from '../plan.ts'
import type { Receipts } from '../receipts.ts'
import type { AskMiner } from '../rounds/ask.ts'
import { measureBlockMs } from '../stale.ts'
import { createMinerFiles } from './ask-pieces.ts'
import { trainingLoops } from './loop.ts'
import { createTrainingMeter, type TrainingMeter, type TrainingReading } from './meter.ts'
import { openTrainingEngine } from './open-engine.ts'

/** What a validator of a training subnet runs in place of question rounds. */
export interface TrainingPart {
  readonly loops: (of: { readonly view: ChainView }) => Readonly<Record<'training' | 'rounds', Loop>>
  readonly reading: () => TrainingReading
  /** Measurements that wait. */
  readonly queued: () => number
  close(): Promise<void>
}

/** Folder of updates, states and checkpoints, below a validator's data. */
export const blobFolder = (data: string): string => join(data, 'blobs')

/** Rounds of accepted updates that are kept for whoever merges late. */
const KEPT_ROUNDS = 3

/** Tells a meter what merges take; their numbers stay as they are. */
const timedMerges = (optimiser: Optimiser, meter: TrainingMeter, clock: Clock): Optimiser => ({
  ...optimiser,
  merge: (of) => {
    const began = clock.monotonic()
    try {
      return optimiser.merge(of)
    } finally {
      meter.mergeTook(clock.monotonic() - began)
    }
  },
})

/** Opens what a training subnet's validator holds: step graphs, data, files, and the model as far as it was merged. */
export async function openTrainingPart(of: {
  readonly chain: ChainConnection
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly terms: TrainingTerms
  readonly modelFolder: string
  readonly cwd: string
  readonly dataset: string | undefined
  readonly graphs: string | undefined
  readonly data: string
  readonly ledger: Ledger
  readonly receipts: Receipts
  readonly record: RecordKeeper
  readonly keep: Keep
  readonly meter: Meter
  readonly ask: AskMiner
  readonly registered: (at: Block) => void
  readonly route?: Route | undefined
  readonly threads: number
  readonly privateAllowed: boolean
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}): Promise<TrainingPart> {
  const { chain, hotkey, netuid, spec, terms, data, ledger, record, privateAllowed, clock, log } = of
  const engine = await openTrainingEngine(of)
  try {
    const { optimiser } = engine
    const store = openBlobStore({ folder: blobFolder(data) })
    const trainingMeter = createTrainingMeter()
    const { tempo } = await chain.metagraph(netuid)
    const blockMs = await measureBlockMs(chain)
    const about = { netuid, privateAllowed, clock, log }
    const newestRound = (): number => ledger.lastMerge()?.round ?? 0
    return {
      reading: trainingMeter.read,
      queued: engine.queued,
      close: engine.close,
      loops: ({ view }) => {
        const files = createMinerFiles({
          ...of,
          self: hotkey.address,
          metagraph: () => view.now().metagraph,
          partials: join(data, 'training', 'begun'),
        })
        const participant = createParticipant({
          ...about,
          chain,
          spec: { ...spec, training: terms },
          length: roundBlocks({ tempo, roundsPerEpoch: spec.roundsPerEpoch }),
          size: engine.layout.size,
          optimiser: timedMerges(optimiser, trainingMeter, clock),
          genesis: () => engine.initial,
          store,
          folder: join(data, 'training'),
          sourcesOf: (committed) => [files.axonOf(committed)],
          alsoKeep: () =>
            new Set(
              ledger.publicFiles().flatMap(({ name, round }) => (round > newestRound() - KEPT_ROUNDS ? [name] : [])),
            ),
        })
        return trainingLoops({
          ...of,
          ...files,
          self: hotkey.address,
          genesisHash: chain.genesisHash,
          engine,
          optimiser,
          store,
          participant,
          view,
          trainingMeter,
          blockMs,
          onBytes: trainingMeter.bytes,
          putVote: (vote, until) => putVote(record, vote, until),
        })
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}
