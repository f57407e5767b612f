import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { blake256 } from '../hash.ts'
import { CODE_KEY } from '../key.ts'
import { createOverlay } from '../state/overlay.ts'
import type { Trie } from '../trie/node.ts'
import { trieNode } from '../trie/read.ts'
import { type Executor, type ExecutorOptions, openExecutor } from './executor.ts'
import { compileRuntime } from './module.ts'
import { decodeRuntimeVersion, type RuntimeVersion } from './version.ts'

/** A runtime that some state holds, with its version. */
export interface ChainRuntime {
  readonly executor: Executor
  readonly version: RuntimeVersion
}

/** Runtimes by their code; each is compiled once. */
export interface Runtimes {
  /** The runtime of a state. @throws CHAIN_BAD_RUNTIME when its code cannot run */
  of(state: Trie): ChainRuntime
  /** The runtime of a blob. @throws CHAIN_BAD_RUNTIME */
  ofCode(code: Uint8Array): ChainRuntime
}

/** Runtimes kept: the present one, those of old states that somebody reads, and one that is being installed. */
const KEPT = 4

/** Creates the store of compiled runtimes; hashes must be initialised. */
export const createRuntimes = (options: Omit<ExecutorOptions, 'versionOf'>): Runtimes => {
  const byHash = new Map<Hex, ChainRuntime>()
  // Values of a trie are shared by all states that have them, so most questions are settled by identity.
  const byCode = new WeakMap<Uint8Array, ChainRuntime>()

  const load = (code: Uint8Array, known?: Uint8Array): ChainRuntime => {
    const hash = toHex(known ?? blake256(code))
    const runtime = byHash.get(hash) ?? open(code)
    byHash.delete(hash)
    byHash.set(hash, runtime)
    const [oldest] = byHash.keys()
    if (byHash.size > KEPT && oldest !== undefined) byHash.delete(oldest)
    return runtime
  }
  const open = (code: Uint8Array): ChainRuntime => {
    const executor = openExecutor(compileRuntime(code), { ...options, versionOf })
    return { executor, version: decodeRuntimeVersion(executor.call('Core_version', new Uint8Array())) }
  }
  const versionOf = (blob: Uint8Array): Uint8Array | undefined => {
    try {
      return load(blob).executor.call('Core_version', new Uint8Array(), createOverlay(undefined))
    } catch (error) {
      if (error instanceof SubnetError) return undefined
      throw error
    }
  }
  return {
    ofCode: (code) => load(code),
    of: (state) => {
      const node = trieNode(state, CODE_KEY)
      const code = node?.value
      if (node === undefined || code === undefined) {
        throw new SubnetError({
          code: 'CHAIN_BAD_RUNTIME',
          message: 'The state holds no runtime at :code; start from another genesis',
        })
      }
      let runtime = byCode.get(code)
      if (runtime === undefined) {
        runtime = load(code, node.valueHash)
        byCode.set(code, runtime)
      }
      return runtime
    },
  }
}
