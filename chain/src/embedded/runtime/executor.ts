import { SubnetError } from '@arbor/shared/errors'
import { verifySignature } from '@arbor/shared/verify-signature'
import { initHashes } from '../hash.ts'
import { createOverlay, type Overlay } from '../state/overlay.ts'
import { createAllocator } from './allocator.ts'
import type { HostContext, RuntimeLog } from './host/context.ts'
import { hostFunctions } from './host/functions.ts'
import { createGuestMemory } from './memory.ts'
import { compileRuntime, type RuntimeModule } from './module.ts'

/** A runtime that can be called. */
export interface Executor {
  /** Tells whether the runtime has an API function, such as `Core_version`. */
  has(method: string): boolean
  /**
   * Runs a function of the runtime; its changes stay in `storage`, unless it traps: then `storage` is as before.
   * @param args SCALE
   * @returns SCALE
   * @throws CHAIN_RUNTIME_TRAP with the panic's text, CHAIN_NO_METHOD, CHAIN_HOST_REFUSED, CHAIN_RUNTIME_HEAP
   */
  call(method: string, args: Uint8Array, storage?: Overlay): Uint8Array
}

/** What executors need of their surroundings. */
export interface ExecutorOptions {
  readonly onLog?: RuntimeLog
  /** Most talkative level that the runtime makes lines for; 2 (warnings) by default. */
  readonly logLevel?: 0 | 1 | 2 | 3 | 4 | 5
  readonly verifySr25519?: HostContext['verifySr25519']
  readonly versionOf?: HostContext['versionOf']
}

/** Compiles a runtime blob and makes it callable, without a chain. @throws CHAIN_BAD_RUNTIME */
export const createExecutor = async (of: ExecutorOptions & { readonly wasm: Uint8Array }): Promise<Executor> => {
  await initHashes()
  return openExecutor(compileRuntime(of.wasm), of)
}

/** Makes a compiled runtime callable; hashes must be initialised. Each call gets an instance and a memory of its own. */
export const openExecutor = (runtime: RuntimeModule, options: ExecutorOptions): Executor => {
  const methods = new Set(
    WebAssembly.Module.exports(runtime.module)
      .filter(({ kind }) => kind === 'function')
      .map(({ name }) => name),
  )
  return {
    has: (method) => methods.has(method),
    call: (method, args, storage = createOverlay(undefined)) => {
      if (!methods.has(method)) {
        throw new SubnetError({
          code: 'CHAIN_NO_METHOD',
          message: `The runtime has no function ${method}; check its name and the version of the runtime`,
        })
      }
      const depth = storage.depth()
      storage.begin()
      try {
        const result = run(runtime, options, { method, args, storage })
        while (storage.depth() > depth + 1) storage.rollback() // what the runtime left open
        storage.commit()
        return result
      } catch (error) {
        while (storage.depth() > depth) storage.rollback()
        throw error
      }
    },
  }
}

interface Call {
  readonly method: string
  readonly args: Uint8Array
  readonly storage: Overlay
}

const run = (runtime: RuntimeModule, options: ExecutorOptions, { method, args, storage }: Call): Uint8Array => {
  const said: string[] = []
  const log: RuntimeLog = (line) => {
    if (line.level === 1) said.push(line.message)
    options.onLog?.(line)
  }
  const wasmMemory = new WebAssembly.Memory({ initial: runtime.initialPages + EXTRA_PAGES })
  // The heap begins where the instance says, and the instance needs the functions first.
  let allocator = createAllocator(wasmMemory, 0)
  const memory = createGuestMemory(wasmMemory, (size) => allocator.allocate(size))
  const context: HostContext = {
    memory,
    allocator: { allocate: (size) => allocator.allocate(size), free: (pointer) => allocator.free(pointer) },
    storage,
    log,
    logLevel: options.logLevel ?? 2,
    verifySr25519: options.verifySr25519 ?? verifySignature,
    versionOf: options.versionOf ?? ((blob) => readVersion(blob, options)),
  }
  const imports = { ...hostFunctions(context, runtime.imports), memory: wasmMemory }
  try {
    const { exports } = new WebAssembly.Instance(runtime.module, { env: imports })
    allocator = createAllocator(wasmMemory, heapBase(exports))
    const entry = exports[method] as (pointer: number, length: number) => bigint
    return memory.copy(entry(args.length === 0 ? 0 : memory.writeFixed(args), args.length))
  } catch (error) {
    throw asTrap(error, method, said)
  }
}

/** Room for the heap before the first growth: 1 MiB. */
const EXTRA_PAGES = 16

const heapBase = (exports: WebAssembly.Instance['exports']): number => {
  const global = exports['__heap_base']
  if (global instanceof WebAssembly.Global && typeof global.value === 'number') return global.value
  throw new SubnetError({
    code: 'CHAIN_BAD_RUNTIME',
    message: 'The runtime does not export __heap_base; link it with --export=__heap_base',
  })
}

const asTrap = (error: unknown, method: string, said: readonly string[]): unknown => {
  if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) return error
  const why = said.at(-1) ?? error.message
  return new SubnetError({
    code: 'CHAIN_RUNTIME_TRAP',
    message: `The runtime stopped in ${method}: ${why}`,
    details: { method },
    cause: error,
  })
}

/** Asks a runtime blob for its version; undefined when it is no runtime. */
const readVersion = (blob: Uint8Array, options: ExecutorOptions): Uint8Array | undefined => {
  try {
    return openExecutor(compileRuntime(blob), options).call('Core_version', new Uint8Array())
  } catch (error) {
    if (error instanceof SubnetError) return undefined
    throw error
  }
}
