import type { BlockRef } from '@arbor/chain/client/types'
import { floatsToBytes } from '@arbor/shared/floats'
import type { Hex, Uid } from '@arbor/shared/units'
import { drawsFrom } from '@arbor/subnet-spec/finetune/attacks/draws'
import { type PassWindows, performRound } from '@arbor/subnet-spec/finetune/attacks/perform'
import type { Checkpoint } from '@arbor/subnet-spec/finetune/types'
import { assignedWindows } from '@arbor/subnet-spec/finetune/windows'
import { choicesFrom, taskSeed } from '@arbor/subnet-spec/seed'
import type { JournalRound } from './journal.ts'
import { loadKept, loadStates, nothingKept, saveState } from './saved.ts'
import type { TrainingDeps } from './types.ts'

/** A round to work on. */
export interface RoundTask {
  readonly round: number
  /** The block that it starts at. */
  readonly block: BlockRef
  readonly uid: Uid
  readonly checkpoint: Checkpoint
  /** The checkpoint's name. */
  readonly base: Hex
}

/** An update that lies in the store. */
export interface MadeUpdate {
  readonly name: Hex
  readonly bytes: number
  /** Mean loss of the last segment, in nats a token; null where an earlier process trained it. */
  readonly loss: number | null
}

/**
 * Makes a round's update: trains it from where an earlier process was killed, saves each state as it is reached, and writes the file.
 * @returns null where an attack has nothing to send
 */
export const makeUpdate = async (
  deps: TrainingDeps,
  task: RoundTask,
  signal: AbortSignal,
): Promise<MadeUpdate | null> => {
  const { journal, store, log, progress, layout } = deps
  const begun = begin(deps, task)
  if (begun.update !== null && store.has(begun.update.name)) return { ...begun.update, loss: null }
  const resume = loadStates(store, { states: begun.states, size: layout.size })
  const resumedAt = resume.at(-1)?.step ?? 0
  log.info({ event: 'training.round', round: task.round, base: task.base, resumedAt }, 'training begins')
  Object.assign(progress, { round: task.round, step: resumedAt })
  const { local } = deps.terms
  const onStep = ({ step, loss }: { readonly step: number; readonly loss: number }): void => {
    Object.assign(progress, { step, loss })
    progress.tokens += local.accumulate * local.batch * local.length
  }
  const last = journal.committedBefore(task.round)
  const seed = taskSeed({ ...task, blockHash: task.block.hash, netuid: deps.netuid, hotkey: deps.hotkey })
  const output = await performRound({
    ...deps,
    about: { netuid: deps.netuid, hotkey: deps.hotkey, round: task.round, base: task.base },
    params: task.checkpoint.params,
    kept: (last === null ? null : loadKept(store, { round: last, size: layout.size })) ?? nothingKept(layout.size),
    assigned: windowsOf(deps, task, task.block.hash),
    others: windowsOf(deps, task, choicesFrom({ seed, label: 'other windows' }).bytes32()),
    train: deps.trainer({ onStep, signal }),
    victim: deps.attack?.needs === 'victim' ? await deps.victims.find({ round: task.round, signal }) : null,
    last: last?.update === null || last === null ? null : store.read(last.update.name),
    draws: drawsFrom({ seed, label: 'attack' }),
    resume,
    onState: async (state, index) => journal.addState(task.round, index, saveState(store, state)),
  })
  if (output.file === null) return null
  const update = { name: store.write(output.file), bytes: output.file.length }
  const carried = store.write(floatsToBytes(output.kept.carried))
  journal.written(task.round, { ...update, carried })
  return { ...update, loss: Number.isNaN(output.loss) ? null : output.loss }
}

/** Finds the round in the journal, or begins it there: anew where it began from another checkpoint. */
const begin = ({ journal, store }: TrainingDeps, { round, base }: RoundTask): JournalRound => {
  const found = journal.round(round)
  if (found?.base === base) return found
  journal.begin({ round, base })
  store.prune({ keep: journal.names(), mostBytes: 0 })
  return { round, base, states: [], update: null, committedIn: null }
}

/** Cuts the windows that follow from a block. */
const windowsOf = (
  { netuid, terms, tokens }: TrainingDeps,
  { round, uid }: RoundTask,
  blockHash: Hex,
): ((pass: number) => PassWindows) => {
  const starts = assignedWindows({ blockHash, netuid, round, uid, tokens: tokens.length, local: terms.local })
  return (pass) => ({ tokens, starts: starts(pass) })
}
