import { SubnetError } from '@arbor/shared/errors'
import { createOverlay, type Overlay } from '../state/overlay.ts'
import { createAllocator } from './allocator.ts'
import type { ExecutorOptions } from './executor.ts'
import type { HostContext } from './host/context.ts'
import { hostFunctions } from './host/functions.ts'
import { createGuestMemory } from './memory.ts'
import type { RuntimeModule } from './module.ts'
import { isRight } from './signature.ts'

/** A runtime with a memory; runs one call at a time. */
export interface RuntimeInstance {
  /**
   * Runs a function of the runtime. A call that throws leaves the instance unusable.
   * @throws CHAIN_RUNTIME_TRAP with the panic's text, or what a host function threw
   */
  run(method: string, args: Uint8Array, storage: Overlay): Uint8Array
  /** Makes the memory as new. @returns false when it grew so large that a new instance is better */
  reset(): boolean
}

/** Room for the heap before the first growth: 1 MiB. */
const EXTRA_PAGES = 16
/** Memories that grew above 32 MiB are not kept: clearing them costs more than a new instance. */
const KEPT_BYTES = 32 * 2 ** 20
const NO_STORAGE = createOverlay(undefined)

/** Instantiates a runtime. */
export const createInstance = (runtime: RuntimeModule, options: Required<ExecutorOptions>): RuntimeInstance => {
  const wasmMemory = new WebAssembly.Memory({ initial: runtime.initialPages + EXTRA_PAGES })
  const allocator = createAllocator(wasmMemory)
  const memory = createGuestMemory(wasmMemory, allocator.allocate)
  const said: string[] = []
  const context: HostContext & { storage: Overlay } = {
    ...options,
    memory,
    allocator,
    storage: NO_STORAGE,
    log: (line) => {
      if (line.level === 1) said.push(line.message)
      options.onLog(line)
    },
  }
  const imports = {
    ...hostFunctions(context, runtime.imports),
    ...options.moreFunctions(context),
    memory: wasmMemory,
  }
  const { exports } = new WebAssembly.Instance(runtime.module, { env: imports })
  const base = heapBase(exports)
  // Stack and static data as the module makes them. The one mutable global, the stack pointer, is back where it was
  // after each call that returns.
  const image = memory.at(0, base).slice()
  allocator.reset(base)
  return {
    run: (method, args, storage) => {
      context.storage = storage
      said.length = 0
      const entry = exports[method] as (pointer: number, length: number) => bigint
      try {
        return memory.copy(entry(args.length === 0 ? 0 : memory.writeFixed(args), args.length))
      } catch (error) {
        throw asTrap(error, method, said)
      } finally {
        context.storage = NO_STORAGE
      }
    },
    reset: () => {
      memory.at(base, allocator.top() - base).fill(0)
      memory.at(0, base).set(image)
      allocator.reset(base)
      return wasmMemory.buffer.byteLength <= KEPT_BYTES
    },
  }
}

/** What executors do where nothing else is said. */
export const withDefaults = (
  options: ExecutorOptions,
  versionOf: HostContext['versionOf'],
): Required<ExecutorOptions> => ({
  onLog: options.onLog ?? (() => undefined),
  logLevel: options.logLevel ?? 2,
  verify: options.verify ?? isRight,
  versionOf: options.versionOf ?? versionOf,
  moreFunctions: options.moreFunctions ?? (() => ({})),
})

const heapBase = (exports: WebAssembly.Instance['exports']): number => {
  const { __heap_base: global } = exports
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
