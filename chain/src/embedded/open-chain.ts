import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { buildGenesis, type Genesis } from './genesis.ts'
import { hashHeader } from './header.ts'
import { type Json, mergePatch } from './merge-patch.ts'
import type { ProductionMode } from './production.ts'
import type { Runtimes } from './runtime/runtimes.ts'
import { CHAIN_FILE, openDatabase } from './store/open.ts'
import { createStore, type Store } from './store/store.ts'
import { trieEntries } from './trie/read.ts'
import { standOnWhole } from './verify.ts'

/** What a chain begins with, and how much of it is kept. */
export interface OpenOptions {
  readonly wasm: Uint8Array
  readonly preset: string
  readonly patch: Json
  readonly data: string | null
  readonly keep: number
  readonly cacheBytes?: number
  /** Hears why the best block was left, where it was damaged and not final. */
  readonly onDamage: (damage: SubnetError) => void
}

/**
 * Opens the chain of a folder, or begins it. A chain that is there goes on with the runtime that its state holds; the blob
 * matters for new chains alone, so a newer Arbor opens the chains of an older one.
 * @throws CHAIN_BAD_RUNTIME, CHAIN_GENESIS, CHAIN_OTHER_GENESIS, CHAIN_FOLDER_IN_USE, CHAIN_DATA_CORRUPT
 */
export const openChain = (of: OpenOptions, runtimes: Runtimes): Store => {
  const build = (): Genesis => buildGenesis({ ...of, executor: runtimes.ofCode(of.wasm).executor })
  // Built before the file is made: wrong settings leave an empty folder empty.
  const early = of.data !== null && existsSync(join(of.data, CHAIN_FILE)) ? null : build()
  const database = openDatabase(of.data)
  try {
    const store = createStore(database, of)
    const settings = settingsOf(of)
    const stored = store.hashAt(0)
    if (stored === null) begin(store, early ?? build(), settings)
    else if (store.settings() !== settings) throw otherGenesis({ stored, made: store.settings(), settings })
    else standOnWhole(store, of.onDamage)
    return store
  } catch (error) {
    database.close()
    throw error
  }
}

/** The time between blocks is a slot, and the length of slots is part of the genesis. */
export const genesisPatch = (mode: ProductionMode, patch: Json): Json =>
  mode.kind === 'interval' ? mergePatch(patch, { blockTime: { slotDurationMs: mode.blockTimeMs } }) : patch

const begin = (store: Store, { header, trie }: Genesis, settings: string): void => {
  store.setSettings(settings)
  const keys = [...trieEntries(trie)].length
  const block = { hash: hashHeader(header), header, extrinsics: [] }
  store.add({ block, trie, retired: [], keys }, { best: true, final: true })
}

/** Writes what decides on the genesis, besides the runtime: the same settings give the same text. */
const settingsOf = ({ preset, patch }: OpenOptions): string => JSON.stringify({ preset, patch: sorted(patch) })

const sorted = (value: Json): Json => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]))
}

/** Characters of settings that a message shows: a patch can be long. */
const SHOWN = 300

const otherGenesis = (of: {
  readonly stored: string
  readonly made: string
  readonly settings: string
}): SubnetError => {
  const [made, settings] = [of.made, of.settings].map((text) =>
    text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text,
  )
  return new SubnetError({
    code: 'CHAIN_OTHER_GENESIS',
    message: `The folder holds the chain with genesis ${of.stored}, made with ${made}, but the settings given are ${settings}; use those it was made with, or another folder`,
    details: { stored: of.stored },
  })
}
