import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createExecutor } from '@arbor/chain/embedded/runtime/executor'
import { Metadata, TypeRegistry } from '@polkadot/types'
import { type Bytes, type Enum, type Option, Struct } from '@polkadot/types-codec'
import type { Codec } from '@polkadot/types-codec/types'
import type { Json, JsonObject } from './vectors.ts'

/** The arithmetic of the shipped runtime. */
export interface Arithmetic {
  /** Runs one epoch; keys of input and output are those of the runtime's structs in camel case. */
  epoch(input: JsonObject): JsonObject
  /** Asks for one scalar rule: `{ Name: arguments }` in, the answer's variant and value out. */
  ask(query: JsonObject): { readonly kind: string; readonly value: Json }
}

/** Finds the runtime that ships with this checkout. @throws Error when there is none or more than one */
export function shippedRuntime(folder: URL = new URL('../../chain/artifacts/', import.meta.url)): string {
  const path = fileURLToPath(folder)
  const found = readdirSync(path).filter((name) => name.endsWith('.wasm'))
  const [name] = found
  if (name === undefined || found.length !== 1) {
    throw new Error(`There must be one .wasm file in ${path}; there are ${found.length}.`)
  }
  return `${path}${name}`
}

/** Opens a runtime and encodes by the types of its own metadata. */
export async function openArithmetic(wasmPath: string = shippedRuntime()): Promise<Arithmetic> {
  const executor = await createExecutor({ wasm: readFileSync(wasmPath) })
  const { registry, metadata } = describe((method, args) => executor.call(method, args))
  const methods = metadata.asLatest.apis.find((api) => api.name.eq('YumaRuntimeApi'))?.methods
  const call = <T extends Struct | Enum>(name: string, value: JsonObject): T => {
    const method = methods?.find((candidate) => candidate.name.eq(name))
    const [input] = method?.inputs ?? []
    if (method === undefined || input === undefined) throw new Error(`The runtime has no YumaRuntimeApi_${name}.`)
    const args = registry.createTypeUnsafe(registry.createLookupType(input.type), [value])
    refuseUnknown(args, value)
    const answer = executor.call(`YumaRuntimeApi_${name}`, args.toU8a())
    return registry.createTypeUnsafe<T>(registry.createLookupType(method.output), [answer])
  }
  return {
    epoch: (input) => call<Struct>('run_epoch', input).toPrimitive() as JsonObject,
    ask: (query) => {
      const answer = call<Enum>('compute', query)
      return { kind: answer.type, value: answer.value.toPrimitive() as Json }
    },
  }
}

/** Encoding drops fields that the runtime does not know; a vector that has one would be checked wrongly. */
function refuseUnknown(args: Codec, value: JsonObject): void {
  const unknown = args instanceof Struct ? Object.keys(value).filter((key) => !args.has(key)) : []
  if (unknown.length > 0) throw new Error(`The runtime's input has no ${unknown.join(', ')}.`)
}

/** Reads metadata version 15, the first that describes runtime APIs. */
function describe(call: (method: string, args: Uint8Array) => Uint8Array) {
  const registry = new TypeRegistry()
  const version = registry.createType('u32', 15).toU8a()
  const answer = registry.createType<Option<Bytes>>('Option<Bytes>', call('Metadata_metadata_at_version', version))
  const metadata = new Metadata(registry, answer.unwrapOrDefault().toHex())
  registry.setMetadata(metadata, undefined, { SubtensorTransactionExtension: { extrinsic: {}, payload: {} } })
  return { registry, metadata }
}
