import { join } from 'node:path'
import { isLocalChain } from '@arbor/chain/address'
import { createRecordKeeper } from '@arbor/chain/client/committed-record'
import { mustFitModel, openDataset } from '@arbor/engine/dataset/open'
import { hashTokenizer } from '@arbor/engine/dataset/tokenizer'
import { readTrainingCard } from '@arbor/engine/train/card'
import { openTraining, type Training } from '@arbor/engine/train/training'
import type { Dataset } from '@arbor/engine/train/types'
import { PIECE_BYTES } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import type { InferenceEngine } from '@arbor/shared/inference'
import { trainingAttackOf } from '@arbor/subnet-spec/finetune/attacks/list'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import type { TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import { openBlobStore } from '@arbor/training/blob-store'
import { createParticipant } from '@arbor/training/participant'
import { putUpdate } from '@arbor/training/records'
import { openUpdateStore } from '@arbor/training/sources/s3'
import { takeStepsIn } from '@arbor/training/train-to'
import type { State } from '../follow.ts'
import type { Job } from '../job.ts'
import type { MinerDeps } from '../miner.ts'
import { openJournal } from './journal.ts'
import { createPieces } from './pieces.ts'
import { runTraining } from './run.ts'
import { serviceOf } from './serving.ts'
import type { TrainingDeps, TrainingProgress } from './types.ts'
import { JOURNAL_FILE, OWN_FOLDER, openVictims } from './victim.ts'

/** What a training miner is told besides what every miner is. */
export interface TrainingSettings {
  /** Absolute path of the dataset's folder. */
  readonly dataset: string
  /** Absolute path of the folder of step graphs. */
  readonly graphs: string
  /** File with the settings of an object store that updates are put into; null for none. */
  readonly updateStore: string | null
  /** Data folder of the miner whose updates an attack takes; null for those that were merged. */
  readonly cheatFrom: string | null
}

interface Start {
  readonly state: State
  readonly terms: TrainingTerms
  readonly cleanup: DisposableStack
  readonly signal: AbortSignal
}

/** Starts what trains: the step graphs in a child process, the rounds, and the service of what was trained. */
export const startTraining = (deps: MinerDeps, start: Start): Job => {
  const { settings, spec } = deps
  const attack = settings.cheat === null ? null : trainingAttackOf(settings.cheat)
  const store = openBlobStore({ folder: join(settings.data, OWN_FOLDER) })
  const pieces = createPieces(store)
  const progress: TrainingProgress = {
    ...{ round: null, step: 0, loss: null, tokens: 0, bytesSent: 0, committed: 0, skipped: 0 },
  }
  let opened: { readonly training: Training; readonly run: TrainingDeps } | null = null
  const service = serviceOf(pieces, attack)
  return {
    open: async () => {
      const dataset = await openData(deps, start)
      const training = await openGraphs(deps, start)
      opened = {
        training,
        run: await trainingDeps(deps, { ...start, attack, store, pieces, progress, dataset, training }),
      }
    },
    isRunning: () => opened?.training.stats().state === 'running',
    places: settings.threads * settings.batch,
    rate: pieceRate({ perSecond: settings.ratePerSecond, size: () => opened?.run.layout.size ?? 0 }),
    loops: {
      training: async (signal) => {
        if (opened === null) throw new Error('training was not opened')
        await runTraining(opened.run, signal)
      },
    },
    about: () => ({ training: progress }),
    close: async () => opened?.training.close(),
    pace: ({ request }) => service.pace(request),
    solve: async ({ task, request, binding, signal }) => {
      const definition = spec.tasks[task]
      if (definition === undefined) throw new Error(`no task ${task}`) // the service has asked the same before
      return definition.solve({ request, binding, engine: NO_ENGINE, signal, pieces: service.source })
    },
  }
}

/** Who trains answers no questions. */
const NO_ENGINE: InferenceEngine = {
  model: { name: 'none', hash: `0x${'00'.repeat(32)}`, profile: 'fp32' },
  generate: () => Promise.reject(new Error('a training miner has no inference engine')),
  check: () => Promise.reject(new Error('a training miner has no inference engine')),
}

/** Pieces that are fetched for one replay: two states of four files each, and as much again for tries that broke off. */
const FILES_A_ROUND = 16
/** A piece costs a read and a hash: as much as a tenth of a question. */
const PIECES_A_QUESTION = 10

const pieceRate = (of: { readonly perSecond: number; readonly size: () => number }): Job['rate'] => ({
  perSecond: PIECES_A_QUESTION * of.perSecond,
  get burst() {
    return 2 * PIECES_A_QUESTION * of.perSecond + FILES_A_ROUND * Math.ceil((4 * of.size()) / PIECE_BYTES)
  },
})

const settingsOf = ({ settings }: MinerDeps): TrainingSettings => {
  if (settings.training !== null) return settings.training
  throw new SubnetError({
    code: 'MINER_NO_TRAINING',
    message: 'The subnet trains, and the miner was told neither dataset nor step graphs; start it with `arbor miner`',
  })
}

const openData = async (deps: MinerDeps, { terms }: Start): Promise<Dataset> => {
  const { dataset: folder, graphs } = settingsOf(deps)
  const dataset = await openDataset({ folder, id: terms.data, length: terms.local.length })
  const [{ vocabulary }, tokenizer] = await Promise.all([readTrainingCard(graphs), hashTokenizer(deps.settings.model)])
  mustFitModel(dataset, { tokenizer, vocabulary })
  return dataset
}

const openGraphs = async (deps: MinerDeps, { signal }: Start): Promise<Training> => {
  const { settings, clock, log } = deps
  const training = await openTraining({
    ...{
      folder: settingsOf(deps).graphs,
      model: settings.model,
      providers: settings.providers,
      threads: settings.threads,
    },
    ...{ log, signal, clock },
  })
  const { provider, refused, layout } = training
  for (const each of refused)
    log.warn({ event: 'miner.provider_refused', ...each }, `${each.provider} does not work here: ${each.reason}`)
  log.info({ event: 'miner.engine', provider, parameters: layout.size }, 'step graphs are loaded')
  return training
}

const trainingDeps = async (
  deps: MinerDeps,
  of: Start &
    Pick<TrainingDeps, 'attack' | 'store' | 'pieces' | 'progress'> & {
      readonly dataset: Dataset
      readonly training: Training
    },
): Promise<TrainingDeps> => {
  const { settings, chain, clock, log, spec } = deps
  const { terms, training, state } = of
  const { netuid, hotkey } = settings.identity
  const own = settingsOf(deps)
  const { layout } = training
  const optimiser = optimiserOf({ terms: terms.optimiser, layout })
  const initial = await training.initial(of.signal)
  const merged = openBlobStore({ folder: join(settings.data, 'blobs') })
  const journal = openJournal({
    file: join(settings.data, JOURNAL_FILE),
    owner: { genesisHash: chain.genesisHash, netuid, hotkey },
  })
  of.cleanup.defer(() => journal.close())
  const keeper = createRecordKeeper({ chain, netuid, hotkey: deps.hotkey })
  const participant = createParticipant({
    ...{ chain, netuid, optimiser, clock, log, store: merged, folder: join(settings.data, 'participant') },
    spec: { ...spec, training: terms },
    size: layout.size,
    length: roundBlocks({ tempo: state.view.metagraph.tempo, roundsPerEpoch: spec.roundsPerEpoch }),
    genesis: () => initial,
    privateAllowed: isLocalChain(chain),
  })
  const { attack, store, pieces, progress } = of
  return {
    ...{ netuid, hotkey, terms, optimiser, layout, participant, journal, attack, store, pieces, progress, clock, log },
    tokens: of.dataset.train,
    trainer: (run) => takeStepsIn({ ...run, optimiser, training, terms: terms.local }),
    uid: () => state.uid,
    commit: async (commitment, signal) => (await putUpdate(keeper, commitment, signal)).number,
    updates: own.updateStore === null ? null : openUpdateStore({ file: own.updateStore, clock }),
    victims: openVictims({ from: own.cheatFrom, hotkey, store: merged, clock }),
  }
}
