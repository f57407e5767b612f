import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import type { Validity } from '../embedded/types.ts'
import { type Bans, createBans } from './bans.ts'
import { toEntry } from './entry.ts'
import { createGraph, type GraphChange, type PoolGraph } from './graph.ts'
import type { PoolDeps, PoolEntry } from './types.ts'
import { createWatchers, type Watchers } from './watchers.ts'

/** What the runtime says of an extrinsic, or why it could not say anything. */
export type Verdict = Validity | { readonly trap: string }

/** What a pool holds, and the changes to it, each told to whom it concerns. */
export interface Contents {
  readonly graph: PoolGraph
  readonly watchers: Watchers
  readonly bans: Bans
  onReady(listener: () => void): () => void
  announce(change: GraphChange): void
  /** Takes extrinsics out with the ready ones that need them, and tells all of them. @returns all that went */
  discard(hashes: readonly Hex[], kind: 'invalid' | 'dropped'): readonly Hex[]
  /** Discards as invalid, and bans those named, though not those that needed them: they may come again. */
  refuse(hashes: readonly Hex[]): readonly Hex[]
  /** Asks the runtime at the best block. */
  ask(bytes: Uint8Array): Verdict
  /** Asks the runtime again about what is held. An extrinsic keeps its place in the order of arrival. */
  revalidate(entry: PoolEntry): void
}

/** Creates a pool's contents, empty. */
export const createContents = ({ validate, best, clock, limits }: Omit<PoolDeps, 'check'>): Contents => {
  const graph = createGraph()
  const watchers = createWatchers()
  const bans = createBans({ clock, banMs: limits.banMs, capacity: limits.bans })
  const readyListeners = new Set<() => void>()

  const announce = (change: GraphChange): void => {
    for (const { hash } of change.future) watchers.tell(hash, { kind: 'future' })
    for (const { hash } of change.ready) watchers.tell(hash, { kind: 'ready' })
    if (change.ready.length > 0) for (const listener of [...readyListeners]) listener()
  }

  const discard: Contents['discard'] = (hashes, kind) => {
    const going = new Set(hashes.flatMap((hash) => graph.subtree(hash).map((entry) => entry.hash)))
    for (const hash of [...going].reverse()) {
      const change = graph.remove(hash, false)
      watchers.tell(hash, { kind })
      announce(change)
    }
    return [...going]
  }

  const refuse = (hashes: readonly Hex[]): readonly Hex[] => {
    for (const hash of hashes) bans.add(hash)
    return discard(hashes, 'invalid')
  }

  const ask = (bytes: Uint8Array): Verdict => {
    try {
      return validate(bytes)
    } catch (error) {
      return trapOf(error)
    }
  }

  const revalidate = (entry: PoolEntry): void => {
    const validity = ask(entry.bytes)
    if ('trap' in validity || !validity.valid) {
      if ('trap' in validity || validity.kind === 'invalid') refuse([entry.hash])
      return
    }
    const wasReady = graph.isReady(entry.hash)
    const { hash, bytes, order } = entry
    const left = graph.remove(hash, false)
    const back = graph.insert(toEntry({ hash, bytes, validity, order, best: best().number }))
    if (!back.ok) return void watchers.tell(hash, { kind: 'dropped' })
    announce(netChange({ left, back, hash, wasReady }))
  }

  const onReady: Contents['onReady'] = (listener) => {
    readyListeners.add(listener)
    return () => void readyListeners.delete(listener)
  }

  return { graph, watchers, bans, onReady, announce, discard, refuse, ask, revalidate }
}

/** Reads a failure that says the bytes are no extrinsic of this runtime; others are thrown on. */
export const trapOf = (error: unknown): { readonly trap: string } => {
  if (error instanceof SubnetError && (error.code === 'CHAIN_RUNTIME_TRAP' || error.code === 'CHAIN_RUNTIME_HEAP')) {
    return { trap: error.message }
  }
  throw error
}

/** Leaves out what ends as it began: the extrinsic itself, and those that went away and came back with it. */
const netChange = (of: {
  readonly left: GraphChange
  readonly back: GraphChange
  readonly hash: Hex
  readonly wasReady: boolean
}): GraphChange => {
  const wereReady = new Set(of.left.future.map(({ hash }) => hash))
  if (of.wasReady) wereReady.add(of.hash)
  const areReady = new Set(of.back.ready.map(({ hash }) => hash))
  const known = (hash: Hex): boolean => hash !== of.hash || of.wasReady
  return {
    ready: of.back.ready.filter(({ hash }) => !wereReady.has(hash)),
    future: [...of.left.future, ...of.back.future].filter(({ hash }) => !areReady.has(hash) && known(hash)),
  }
}
