import { bytesToFloats, floatsToBytes } from '@arbor/shared/floats'
import type { Hex } from '@arbor/shared/units'
import type { Kept, MinerState } from '@arbor/subnet-spec/finetune/attacks/perform'
import type { StateNames } from '@arbor/subnet-spec/finetune/states'
import type { BlobStore } from '@arbor/training/types'
import type { JournalRound } from './journal.ts'

/** Writes a state's four files. */
export const saveState = (store: Pick<BlobStore, 'write'>, state: MinerState): StateNames => {
  const write = (vector: Float32Array): Hex => store.write(floatsToBytes(vector))
  return {
    params: write(state.params),
    first: write(state.moments.first),
    second: write(state.moments.second),
    carried: write(state.carried),
    steps: state.moments.steps,
    step: state.step,
  }
}

/** Reads states from the first on, up to one that is not whole any more. */
export const loadStates = (
  store: Pick<BlobStore, 'read'>,
  of: { readonly states: readonly StateNames[]; readonly size: number },
): readonly MinerState[] => {
  const states: MinerState[] = []
  for (const names of of.states) {
    const state = loadState(store, names, of.size)
    if (state === null) break
    states.push(state)
  }
  return states
}

/** What a miner begins with. */
export const nothingKept = (size: number): Kept => ({
  moments: { first: new Float32Array(size), second: new Float32Array(size), steps: 0 },
  carried: new Float32Array(size),
})

/** Reads what a committed round carries on; null when it is not whole any more. */
export const loadKept = (
  store: Pick<BlobStore, 'read'>,
  { round, size }: { readonly round: JournalRound; readonly size: number },
): Kept | null => {
  const last = round.states.at(-1)
  if (last === undefined || round.update === null) return null
  const read = reader(store, size)
  const [first, second, carried] = [read(last.first), read(last.second), read(round.update.carried)]
  if (first === null || second === null || carried === null) return null
  return { moments: { first, second, steps: last.steps }, carried }
}

const loadState = (store: Pick<BlobStore, 'read'>, names: StateNames, size: number): MinerState | null => {
  const read = reader(store, size)
  const [params, first, second] = [read(names.params), read(names.first), read(names.second)]
  const carried = read(names.carried)
  if (params === null || first === null || second === null || carried === null) return null
  return { step: names.step, params, moments: { first, second, steps: names.steps }, carried }
}

const reader =
  (store: Pick<BlobStore, 'read'>, size: number) =>
  (name: Hex): Float32Array | null => {
    const file = store.read(name)
    return file === null || file.length !== 4 * size ? null : bytesToFloats(file)
  }
