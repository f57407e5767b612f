import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CARD, type HashedFile, hashFiles, listFiles, readJson } from '@arbor/engine/folder'
import type { GraphIo } from '@arbor/engine/graph/io'
import type { Preparation } from '@arbor/engine/graph/prepare'
import type { GraphProfile } from '@arbor/engine/graph/profile'
import type { Trial } from '@arbor/engine/graph/trial'
import { parseThresholds } from '@arbor/engine/thresholds'
import type { Hex } from '@arbor/shared/units'
import type { Layout } from './layout.ts'

/** What a card says of a model that was added. */
export interface Described {
  readonly name: string
  readonly hash: Hex
  readonly profile: GraphProfile
  readonly io: GraphIo
  /** What the graph was given. */
  readonly added: readonly string[]
  readonly trial: Trial
  readonly files: readonly HashedFile[]
  /** Whether limits came along with the folder. */
  readonly isCalibrated: boolean
}

/** Fields of a card that are made anew whenever a folder is added. */
const MADE = ['name', 'profile', 'hash', 'files', 'thresholds', 'graph']

/**
 * Writes the card of a folder that is whole but for it. Words about data, training and licence come along from a folder of Arbor's
 * own; limits do so only if the model is the very one that they were measured on.
 */
export const writeCard = async (of: {
  readonly layout: Layout
  readonly name: string
  readonly folder: string
  readonly io: GraphIo
  readonly profile: GraphProfile
  readonly preparation: Preparation
  readonly trial: Trial
}): Promise<Described> => {
  const { layout, name, folder, io, profile, preparation, trial } = of
  const { hash, files } = await hashFiles(folder, await listFiles(folder))
  const old = layout.hasCard ? await readJson(layout.folder, CARD) : {}
  const about = Object.fromEntries(Object.entries(old).filter(([key]) => !MADE.includes(key)))
  const thresholds = old.hash === hash.slice(2) ? parseThresholds(old.thresholds) : []
  const before = record(old.graph)
  const card = {
    name,
    profile: profile.profile,
    ...about,
    graph: {
      from: before.from ?? layout.graphName,
      added: [...list(before.added), ...preparation.added],
      batches: trial.batches,
      wobble: trial.wobble,
      inputs: io.inputs.filter(({ name: input }) => !input.startsWith('past_key_values.')),
      layers: io.layers,
      heads: io.heads,
      size: io.size,
      cache: io.cache,
    },
    thresholds,
    hash: hash.slice(2),
    files,
  }
  await writeFile(join(folder, CARD), `${JSON.stringify(card, null, 2)}\n`)
  return { name, hash, profile, io, added: preparation.added, trial, files, isCalibrated: thresholds.length > 0 }
}

/** Reads the hash that a folder's card claims; null where there is no card. */
export const claimedHash = async (folder: string): Promise<string | null> => {
  try {
    return String(JSON.parse(await readFile(join(folder, CARD), 'utf8')).hash)
  } catch {
    return null // a folder without a card, or a broken one, has no hash to compare
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
