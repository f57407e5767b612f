import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Block } from '@arbor/shared/units'
import { CODE_KEY } from './key.ts'
import { type Json, mergePatch } from './merge-patch.ts'
import type { Executor } from './runtime/executor.ts'
import { decodeRuntimeVersion } from './runtime/version.ts'
import { reader, vec } from './scale.ts'
import { createOverlay, type Overlay } from './state/overlay.ts'
import { orderedRoot } from './trie/build.ts'
import type { Trie } from './trie/node.ts'
import { trieRoot } from './trie/root.ts'
import type { Header } from './types.ts'

/** The state that a chain begins with, and its header. */
export interface Genesis {
  readonly trie: Trie
  readonly header: Header
}

/** What a genesis is made of. */
export interface GenesisOptions {
  readonly executor: Executor
  /** The runtime's blob, as it goes into the state. */
  readonly wasm: Uint8Array
  /** Name of a preset of the runtime. */
  readonly preset: string
  /** Changes of the preset, as a JSON merge patch. */
  readonly patch?: Json
}

/**
 * Builds the genesis: the runtime's defaults, changed by the preset, changed by the patch.
 * @throws CHAIN_GENESIS when the preset is unknown or the runtime refuses the configuration
 */
export const buildGenesis = ({ executor, wasm, preset, patch = {} }: GenesisOptions): Genesis => {
  const config = [presetJson(executor, preset), patch].reduce(mergePatch, presetJson(executor, null))
  const overlay = createOverlay(undefined)
  writeConfig(executor, overlay, config)
  overlay.set(CODE_KEY, wasm)
  const { stateVersion } = decodeRuntimeVersion(executor.call('Core_version', new Uint8Array()))
  const trie = overlay.trie(stateVersion)
  const header: Header = {
    parentHash: `0x${'00'.repeat(32)}`,
    number: 0 as Block,
    stateRoot: toHex(trieRoot(trie)),
    extrinsicsRoot: toHex(orderedRoot([], stateVersion)),
    digest: [],
  }
  return { trie, header }
}

/** Reads a preset of the runtime, or its defaults. @throws CHAIN_GENESIS when there is none of this name */
export const presetJson = (executor: Executor, preset: string | null): Json => {
  const id = preset === null ? Uint8Array.of(0) : concatBytes(Uint8Array.of(1), vec(toBytes(preset)))
  const answer = reader(executor.call('GenesisBuilder_get_preset', id))
  if (answer.u8() === 1) return JSON.parse(answer.text())
  throw refused(`The runtime has no genesis preset "${preset}"; it has ${presetNames(executor).join(', ')}`)
}

const presetNames = (executor: Executor): readonly string[] => {
  const names = reader(executor.call('GenesisBuilder_preset_names', new Uint8Array()))
  return Array.from({ length: names.compact() }, () => names.text())
}

const writeConfig = (executor: Executor, overlay: Overlay, config: Json): void => {
  const answer = reader(executor.call('GenesisBuilder_build_state', vec(toBytes(JSON.stringify(config))), overlay))
  if (answer.u8() !== 0)
    throw refused(`The runtime refuses the genesis configuration: ${answer.text()}; correct the patch`)
}

const refused = (message: string): SubnetError => new SubnetError({ code: 'CHAIN_GENESIS', message })
