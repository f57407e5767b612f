import type { Hex } from '@arbor/shared/units'
import type { ApiPromise } from '@polkadot/api'
import type { StorageKey } from '@polkadot/types'
import type { RuntimeVersion } from '@polkadot/types/interfaces'
import type { Codec } from '@polkadot/types/types'
import { compactFromU8a, hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util'
import { xxhashAsU8a } from '@polkadot/util-crypto'
import { noItem } from './errors.ts'
import {
  createRuntime,
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

/** Reads state at one block, with the codecs of the runtime that wrote it. */
export interface Reader {
  /** The newest runtime seen. */
  runtime(): Runtime
  /** Runtime that executed the block. */
  runtimeAt(at: Hex): Promise<Runtime>
  /** Reads all entries at one block in one round trip (1 000 keys a request). */
  many(queries: readonly Query[], at: Hex): Promise<(Codec | null)[]>
  /** Reads the keys under a map's prefix at one block; SCALE bytes as hex. */
  keys(pallet: string, item: string, prefix: readonly unknown[], at: Hex): Promise<Codec[][]>
  /** Calls a runtime API; null when the runtime has none by that name. */
  api(api: string, method: string, inputs: readonly unknown[], at: Hex): Promise<Codec | null>
}

const PAGE = 1000
/** Where FRAME keeps the version of the code that executed the block: it says how to decode the block's state. */
const VERSION_KEY = u8aToHex(u8aConcat(xxhashAsU8a('System', 128), xxhashAsU8a('LastRuntimeUpgrade', 128))) as Hex

export function createReader({ api, socket }: { readonly api: ApiPromise; readonly socket: RpcSocket }): Reader {
  let current = createRuntime(api.registry as Runtime['registry'], api.runtimeMetadata, api.runtimeVersion)
  const runtimes = new Map<number, Promise<Runtime>>([[current.specVersion, Promise.resolve(current)]])

  const load = async (specVersion: number, at: Hex): Promise<Runtime> => {
    const known = runtimes.get(specVersion)
    if (known) return known
    const loading = fetchRuntime({ api, socket }, at)
    runtimes.set(specVersion, loading)
    loading.then(
      (runtime) => {
        if (runtime.specVersion > current.specVersion) current = runtime
      },
      () => runtimes.delete(specVersion),
    )
    return loading
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
    return spec === null || spec === current.specVersion ? current : load(spec, at)
  }

  const many = async (queries: readonly Query[], at: Hex): Promise<(Codec | null)[]> => {
    let runtime = current
    for (;;) {
      const entries = queries.map((query) => findStorage(runtime, query.pallet, query.item))
      const keys = queries.map((query, index) => {
        const entry = entries[index] ?? null
        return entry === null ? null : storageKey(entry, query.keys ?? [])
      })
      const present = keys.filter((key): key is Hex => key !== null)
      const [version = null, ...values] = await raw([VERSION_KEY, ...present], at)
      const spec = specOf(version)
      if (spec !== null && spec !== runtime.specVersion) {
        runtime = await load(spec, at)
        if (runtime.specVersion === spec) continue
      }
      let next = 0
      return queries.map((query, index) => {
        const entry = entries[index] ?? null
        if (entry !== null) return decodeStorage(runtime, entry, values[next++] ?? null)
        if (query.optional === true) return null
        throw noItem('storage item', `${query.pallet}.${query.item}`, runtime.specVersion)
      })
    }
  }

  const keys = async (pallet: string, item: string, prefix: readonly unknown[], at: Hex): Promise<Codec[][]> => {
    const runtime = await runtimeAt(at)
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

  const callApi = async (name: string, method: string, inputs: readonly unknown[], at: Hex): Promise<Codec | null> => {
    const runtime = await runtimeAt(at)
    const found = findRuntimeApi(runtime, name, method)
    if (found === null) return null
    const answer = (await socket.request('state_call', [
      `${name}_${method}`,
      encodeInputs(runtime, found, inputs),
      at,
    ])) as Hex
    return decode(runtime, found.output, hexToU8a(answer), `${name}_${method}`)
  }

  return { runtime: () => current, runtimeAt, many, keys, api: callApi }
}

/** Asks for the code that executed a block: that of its parent. */
async function fetchRuntime(
  { api, socket }: { readonly api: ApiPromise; readonly socket: RpcSocket },
  at: Hex,
): Promise<Runtime> {
  const header = (await socket.request('chain_getHeader', [at])) as { readonly number: Hex; readonly parentHash: Hex }
  const codeAt = Number(header.number) === 0 ? at : header.parentHash
  const [entry, json] = await Promise.all([
    api.getBlockRegistry(hexToU8a(at)),
    socket.request('state_getRuntimeVersion', [codeAt]),
  ])
  const version = entry.registry.createTypeUnsafe<RuntimeVersion>('RuntimeVersion', [json])
  return createRuntime(entry.registry as Runtime['registry'], entry.metadata, version)
}
