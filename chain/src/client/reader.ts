import type { Hex } from '@arbor/shared/units'
import type { StorageKey } from '@polkadot/types'
import type { Codec } from '@polkadot/types/types'
import { compactFromU8a, hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util'
import { xxhashAsU8a } from '@polkadot/util-crypto'
import { noItem } from './errors.ts'
import { fetchRuntime } from './fetch-runtime.ts'
import { createMemo } from './memo.ts'
import type { ApiName } from './needs/others.ts'
import { type StorageName, type StorageNeed, storageNeeds } from './needs/storage.ts'
import { toPlain } from './plain.ts'
import {
  decode,
  decodeStorage,
  encodeInputs,
  findRuntimeApi,
  findStorage,
  type Runtime,
  storageItem,
  storageKey,
} from './runtime.ts'
import type { RpcSocket } from './socket-types.ts'

/** One storage entry to read. */
export interface Query {
  readonly pallet: string
  readonly item: string
  readonly keys?: readonly unknown[]
  /** Yields null instead of CHAIN_NO_ITEM where the runtime has no such item. */
  readonly optional?: boolean
}

/** Names an entry of a storage item that Arbor declares to use. */
export const entryOf = (name: StorageName, ...keys: readonly unknown[]): Query => {
  const [pallet = '', item = ''] = name.split('.')
  const { without }: StorageNeed = storageNeeds[name]
  return { pallet, item, keys, optional: without !== undefined }
}

/** Reads state at one block, with the codecs of the runtime that wrote it. */
export interface Reader {
  /** The runtime of the best block that was seen last. */
  runtime(): Runtime
  /** Runtime that will execute the next block, in which a call is to be included. */
  runtimeOfNext(): Promise<Runtime>
  /** Runtime that executed the block. */
  runtimeAt(at: Hex): Promise<Runtime>
  /** Reads all entries at one block in one round trip (1 000 keys a request). */
  many(queries: readonly Query[], at: Hex): Promise<(Codec | null)[]>
  /** The same as plain data, made anew only where it changed since it was read last; nobody may change it. */
  plain(queries: readonly Query[], at: Hex): Promise<unknown[]>
  /** Reads the keys under a map's prefix at one block; SCALE bytes as hex. */
  keys(name: StorageName, prefix: readonly unknown[], at: Hex): Promise<Codec[][]>
  /** Calls a runtime API; null when the runtime has none by that name. */
  api(name: ApiName, inputs: readonly unknown[], at: Hex): Promise<Codec | null>
}

const PAGE = 1000

/** Key of an item without a map, which is the same in every runtime. */
function plainKey(name: StorageName): Hex {
  return u8aToHex(u8aConcat(...name.split('.').map((word) => xxhashAsU8a(word, 128)))) as Hex
}

/** Where FRAME keeps the version of the code that executed the block: it says how to decode the block's state. */
const VERSION_KEY = plainKey('System.LastRuntimeUpgrade')

/** Runtimes kept, some 15 MB each: the present one, and those of old blocks that somebody reads. */
const KEPT = 4

export function createReader(deps: {
  readonly socket: Pick<RpcSocket, 'request'>
  /** Runtime of the best block. */
  readonly runtime: Runtime
  /** Called when the best block's runtime becomes another one. */
  readonly onUpgrade: (before: Runtime, after: Runtime) => void
}): Reader {
  const { socket } = deps
  const request = socket.request
  let current = deps.runtime
  const memo = createMemo()
  const runtimes = new Map<number, Promise<Runtime>>([[current.specVersion, Promise.resolve(current)]])

  const load = (specVersion: number, fetch: () => Promise<Runtime>): Promise<Runtime> => {
    const loading = runtimes.get(specVersion) ?? fetch()
    runtimes.delete(specVersion)
    runtimes.set(specVersion, loading)
    loading.catch(() => runtimes.delete(specVersion))
    for (const known of runtimes.keys()) {
      if (runtimes.size <= KEPT) break
      if (known !== current.specVersion) runtimes.delete(known)
    }
    return loading
  }

  const runtimeOfNext = async (): Promise<Runtime> => {
    const spec = Number(((await request('state_getRuntimeVersion', [])) as { specVersion?: unknown }).specVersion)
    if (spec === current.specVersion) return current
    const found = await load(spec, () => fetchRuntime(request, null))
    if (found.specVersion === spec && current.specVersion !== spec) {
      const before = current
      current = found
      deps.onUpgrade(before, found)
    }
    return found
  }

  const raw = async (keys: readonly Hex[], at: Hex): Promise<(Hex | null)[]> => {
    const pages = Array.from({ length: Math.ceil(keys.length / PAGE) }, (_, page) =>
      keys.slice(page * PAGE, (page + 1) * PAGE),
    )
    const answers = await Promise.all(pages.map((page) => socket.request('state_queryStorageAt', [page, at])))
    const found = new Map<string, Hex | null>()
    for (const answer of answers as { changes: [string, Hex | null][] }[][]) {
      for (const set of answer) for (const [key, value] of set.changes) found.set(key, value)
    }
    return keys.map((key) => found.get(key) ?? null)
  }

  const specOf = (value: Hex | null): number | null =>
    value === null ? null : compactFromU8a(hexToU8a(value))[1].toNumber()

  const runtimeAt = async (at: Hex): Promise<Runtime> => {
    const [value = null] = await raw([VERSION_KEY], at)
    const spec = specOf(value)
    return spec === null || spec === current.specVersion ? current : load(spec, () => fetchRuntimeOf(request, spec, at))
  }

  /** Reads entries at one block: makes their keys, and what they hold, with the code that wrote them. */
  const readAll = async <T>(
    queries: readonly Query[],
    at: Hex,
    of: {
      readonly key: (runtime: Runtime, query: Query) => Hex | null
      readonly value: (runtime: Runtime, query: Query, raw: Hex | null) => T
    },
  ): Promise<(T | null)[]> => {
    let runtime = current
    for (;;) {
      const keys = queries.map((query) => of.key(runtime, query))
      const present = keys.filter((key): key is Hex => key !== null)
      const [version = null, ...values] = await raw([VERSION_KEY, ...present], at)
      const spec = specOf(version)
      if (spec !== null && spec !== runtime.specVersion) {
        runtime = await load(spec, () => fetchRuntimeOf(request, spec, at))
        if (runtime.specVersion === spec) continue
      }
      let next = 0
      return queries.map((query, index) => {
        if (keys[index] !== null) return of.value(runtime, query, values[next++] ?? null)
        if (query.optional === true) return null
        throw noItem('storage item', `${query.pallet}.${query.item}`, runtime.specVersion)
      })
    }
  }

  const keyOf = (runtime: Runtime, { pallet, item, keys: of = [] }: Query): Hex | null => {
    const entry = findStorage(runtime, pallet, item)
    return entry === null ? null : storageKey(entry, of)
  }
  const decoded = (runtime: Runtime, { pallet, item }: Query, value: Hex | null): Codec | null =>
    decodeStorage(runtime, storageItem(runtime, pallet, item), value)

  const many = (queries: readonly Query[], at: Hex): Promise<(Codec | null)[]> =>
    readAll(queries, at, { key: keyOf, value: decoded })

  const nameOf = ({ pallet, item, keys: of = [] }: Query): string => `${pallet}.${item}(${of.join()})`
  const plain = (queries: readonly Query[], at: Hex): Promise<unknown[]> =>
    readAll(queries, at, {
      key: (runtime, query) => memo.key(nameOf(query), runtime.specVersion, () => keyOf(runtime, query)),
      value: (runtime, query, value) =>
        memo.value(nameOf(query), runtime.specVersion, value, () => toPlain(decoded(runtime, query, value))),
    })

  const keys = async (name: StorageName, prefix: readonly unknown[], at: Hex): Promise<Codec[][]> => {
    const runtime = await runtimeAt(at)
    const { pallet, item } = entryOf(name)
    const entry = storageItem(runtime, pallet, item)
    const start = u8aToHex(entry.keyPrefix(...prefix)) as Hex
    const found: Hex[] = []
    for (;;) {
      const page = (await socket.request('state_getKeysPaged', [start, PAGE, found.at(-1) ?? null, at])) as Hex[]
      found.push(...page)
      if (page.length < PAGE) break
    }
    return found.map((key) => {
      const decoded = runtime.registry.createTypeUnsafe<StorageKey>('StorageKey', [key])
      return [...decoded.setMeta(entry.meta, entry.section, entry.method).args]
    })
  }

  const callApi = async (name: ApiName, inputs: readonly unknown[], at: Hex): Promise<Codec | null> => {
    const runtime = await runtimeAt(at)
    const [api = '', method = ''] = name.split('.')
    const found = findRuntimeApi(runtime, api, method)
    if (found === null) return null
    const answer = await socket.request('state_call', [`${api}_${method}`, encodeInputs(runtime, found, inputs), at])
    return decode(runtime, found.output, hexToU8a(answer as Hex), `${api}_${method}`)
  }

  return { runtime: () => current, runtimeOfNext, runtimeAt, many, plain, keys, api: callApi }
}

/** Asks for the code that executed a block: that of its parent, or its own where the block changed none. */
async function fetchRuntimeOf(request: RpcSocket['request'], spec: number, at: Hex): Promise<Runtime> {
  const own = (await request('state_getRuntimeVersion', [at])) as { readonly specVersion: number }
  if (own.specVersion === spec) return fetchRuntime(request, at)
  const header = (await request('chain_getHeader', [at])) as { readonly parentHash: Hex }
  return fetchRuntime(request, header.parentHash)
}
