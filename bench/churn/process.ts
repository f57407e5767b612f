import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { trainLocally } from '../../engine/src/train/local.ts'
import type { Trainer } from '../../engine/src/train/types.ts'
import { openJournal } from '../../miner/src/training/journal.ts'
import { createPieces } from '../../miner/src/training/pieces.ts'
import { runTraining } from '../../miner/src/training/run.ts'
import type { TrainingDeps } from '../../miner/src/training/types.ts'
import { aborted } from '../../shared/src/aborted.ts'
import { systemClock } from '../../shared/src/clock.ts'
import { createLogger } from '../../shared/src/log.ts'
import type { Block, Hex, Ss58, Uid } from '../../shared/src/units.ts'
import type { Checkpoint } from '../../subnet-spec/finetune/types.ts'
import { openBlobStore } from '../../training/src/blob-store.ts'
import { takeStepsOf } from '../../training/src/train-to.ts'
import type { Committed, Merged, RoundEvent } from '../../training/src/types.ts'
import { NETUID, type Subnet } from '../separation/subnet.ts'

/** Steps that a miner's machine could take in a round's time to publish, for each that is due. */
const ROOM = 1.5
/** Steps that a restart takes the time of. */
const RESTART_STEPS = 2

/** A checkpoint and its name. */
export interface Named {
  readonly checkpoint: Checkpoint
  readonly hash: Hex
}

/** How a process's part of a round ended. */
export type Outcome = 'committed' | 'killed' | 'late'

/** A miner's process: `arbor miner`'s own loop on a folder of its own; all of them share one trainer. */
export interface Process {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly folder: string
  /** What it holds after its own merges. */
  current(): Named
  /** Trains a round; it is killed before a step, where one is given. */
  train(start: Extract<RoundEvent, { kind: 'start' }>, killedBefore: number | null): Promise<Outcome>
  /** Time that a successor in this round has used up already, in steps. */
  used(): number
  tell(event: RoundEvent, merged: Merged | null): Promise<void>
  /** Takes the model that a merge led to. */
  adopt(next: Named): void
  /** Ends it between two steps, as `kill -9` does: what is on disk stays, and nothing more is written. */
  kill(): void
}

/** Starts a process, or one on the folder of another that was killed. */
export const startProcess = (of: {
  readonly subnet: Subnet
  readonly folder: string
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly held: Named
  /** Steps' worth of time that is gone of the round that it begins with. */
  readonly used: number
  readonly onCommit: (committed: Committed, file: Uint8Array) => void
}): Process => {
  const { subnet, folder, uid, hotkey } = of
  const { optimiser, terms, trainer } = subnet
  mkdirSync(folder, { recursive: true })
  const stop = new AbortController()
  const handler = Promise.withResolvers<Process['tell']>()
  const now = {
    held: of.held,
    used: of.used,
    taken: 0,
    killedBefore: null as number | null,
    outcome: Promise.withResolvers<Outcome>(),
  }
  /** The shared trainer, with this process's time and its end. */
  const limited = (signal: AbortSignal): Trainer => ({
    ...trainer,
    gradient: async (asked) => {
      if (now.killedBefore === now.taken) now.outcome.resolve('killed')
      if (now.killedBefore === now.taken) return new Promise<never>(() => undefined) // killed: it is never heard of again
      if (now.used >= ROOM * terms.local.steps) {
        now.outcome.resolve('late')
        await aborted(signal)
        throw signal.reason
      }
      now.used += 1
      now.taken += 1
      return trainer.gradient(asked)
    },
  })
  const store = openBlobStore({ folder: join(folder, 'training') })
  const owner = { genesisHash: `0x${'00'.repeat(32)}`, netuid: NETUID, hotkey } as const
  const journal = openJournal({ file: join(folder, 'training.sqlite'), owner })
  const deps: TrainingDeps = {
    ...{ netuid: NETUID, hotkey, terms, optimiser, layout: trainer.layout, store, journal },
    ...{ updates: null, attack: null, clock: systemClock, pieces: createPieces(store), uid: () => uid },
    participant: {
      current: () => now.held,
      run: async (on, signal) => {
        handler.resolve(on)
        await aborted(signal)
      },
    },
    tokens: subnet.dataset.train,
    trainer: (run) =>
      takeStepsOf({ ...run, optimiser, trainer: limited(run.signal), trainLocally, terms: terms.local }),
    commit: async (commitment) => {
      const block = (commitment.round * 10 + 4) as Block
      of.onCommit({ uid, hotkey, commitment, block }, store.read(commitment.name) ?? new Uint8Array(0))
      now.outcome.resolve('committed')
      return block
    },
    victims: { merged: () => undefined, find: async () => null },
    progress: { round: null, step: 0, loss: null, tokens: 0, bytesSent: 0, committed: 0, skipped: 0 },
    log: createLogger({ name: 'miner', level: 'silent' }),
  }
  const running = runTraining(deps, stop.signal)
  const tell: Process['tell'] = async (event, merged) => (await handler.promise)(event, merged)
  return {
    ...{ uid, hotkey, folder, tell },
    current: () => now.held,
    used: () => now.used + RESTART_STEPS,
    train: async (start, killedBefore) => {
      Object.assign(now, { taken: 0, killedBefore, outcome: Promise.withResolvers() })
      await tell(start, null)
      const outcome = await now.outcome.promise
      return outcome
    },
    adopt: (next) => {
      Object.assign(now, { used: 0, held: next })
    },
    kill: () => {
      journal.close()
      stop.abort()
      running.catch(() => undefined) // it hangs where it was killed
    },
  }
}
