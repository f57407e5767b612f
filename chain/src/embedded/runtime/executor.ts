import { SubnetError } from '@arbor/shared/errors'
import { initHashes } from '../hash.ts'
import { createOverlay, type Overlay } from '../state/overlay.ts'
import type { HostContext, HostFunctions, RuntimeLog } from './host/context.ts'
import { createInstance, type RuntimeInstance, withDefaults } from './instance.ts'
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
  readonly verify?: HostContext['verify']
  readonly versionOf?: HostContext['versionOf']
  /** Host functions that no chain has, such as those of a runtime that measures itself. */
  readonly moreFunctions?: (context: HostContext) => HostFunctions
}

/** Compiles a runtime blob and makes it callable, without a chain. @throws CHAIN_BAD_RUNTIME */
export const createExecutor = async (of: ExecutorOptions & { readonly wasm: Uint8Array }): Promise<Executor> => {
  await initHashes()
  return openExecutor(compileRuntime(of.wasm), of)
}

/** Makes a compiled runtime callable; hashes must be initialised. Each call finds a memory as new. */
export const openExecutor = (runtime: RuntimeModule, options: ExecutorOptions): Executor => {
  const methods = new Set(
    WebAssembly.Module.exports(runtime.module)
      .filter(({ kind }) => kind === 'function')
      .map(({ name }) => name),
  )
  const settings = withDefaults(options, (blob) => readVersion(blob, options))
  // Instances that wait for a call: one, unless the runtime asks for its own version while it runs.
  const idle: RuntimeInstance[] = []

  const run = (method: string, args: Uint8Array, storage: Overlay): Uint8Array => {
    const instance = idle.pop() ?? createInstance(runtime, settings)
    const result = instance.run(method, args, storage)
    if (instance.reset()) idle.push(instance)
    return result
  }
  return {
    has: (method) => methods.has(method),
    call: (method, args, storage = createOverlay(undefined)) => {
      if (!methods.has(method)) throw noMethod(method)
      const depth = storage.depth()
      storage.begin()
      try {
        const result = run(method, args, storage)
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

const noMethod = (method: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_NO_METHOD',
    message: `The runtime has no function ${method}; check its name and the version of the runtime`,
  })

/** Asks a runtime blob for its version; undefined when it is no runtime. */
const readVersion = (blob: Uint8Array, options: ExecutorOptions): Uint8Array | undefined => {
  try {
    return openExecutor(compileRuntime(blob), options).call('Core_version', new Uint8Array())
  } catch (error) {
    if (error instanceof SubnetError) return undefined
    throw error
  }
}
