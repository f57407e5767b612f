import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { blobName } from '@arbor/shared/blob'
import type { Clock } from '@arbor/shared/clock'
import type { Hex, Ms, Ss58 } from '@arbor/shared/units'
import type { MergePlan } from '@arbor/subnet-spec/finetune/types'
import type { BlobStore } from '@arbor/training/types'

/** Where a miner's journal and its own files lie in its data folder. */
export const JOURNAL_FILE = 'training.sqlite'
export const OWN_FOLDER = 'training'

/** How often a colluder's folder is looked into. */
const LOOK_EVERY_MS = 500 as Ms

/** Finds updates that attacks take from others. */
export interface Victims {
  /** Remembers whose updates were merged: a participant holds them. */
  merged(plan: MergePlan): void
  find(of: { readonly round: number; readonly signal: AbortSignal }): Promise<Uint8Array | null>
}

/**
 * Looks for another miner's update: that of a colluder in this round, from its data folder, or one that was merged in the last round.
 * @param of.from the colluder's data folder; null for none
 * @param of.store where the participant keeps updates that it merged
 */
export const openVictims = (of: {
  readonly from: string | null
  readonly hotkey: Ss58
  readonly store: Pick<BlobStore, 'read'>
  readonly clock: Clock
}): Victims => {
  const { from, clock } = of
  let last: MergePlan | null = null
  return {
    merged: (plan) => {
      last = plan
    },
    find: async ({ round, signal }) => {
      if (from === null) {
        const name = last?.merged.find(({ hotkey }) => hotkey !== of.hotkey)?.commitment.name
        return name === undefined ? null : of.store.read(name)
      }
      for (;;) {
        const name = nameIn(join(from, JOURNAL_FILE), round)
        const file = name === null ? null : fileIn(join(from, OWN_FOLDER), name)
        if (file !== null) return file
        await clock.sleep(LOOK_EVERY_MS, signal)
      }
    },
  }
}

/** Reads the name of a round's update in another's journal; null where there is none yet. */
const nameIn = (file: string, round: number): Hex | null => {
  if (!existsSync(file)) return null
  using database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
  const row = database.prepare('SELECT name FROM rounds WHERE round = ? AND name IS NOT NULL').get(round)
  return row === undefined ? null : (String(row.name) as Hex)
}

/** Reads a file that another process may still be writing beside; null where it is not whole. */
const fileIn = (folder: string, name: Hex): Uint8Array | null => {
  const path = join(folder, name.slice(2))
  if (!existsSync(path)) return null
  const file = readFileSync(path)
  return blobName(file) === name ? file : null
}
