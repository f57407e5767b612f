// The part of the WebAssembly JavaScript interface that this folder uses: TypeScript keeps it in its "dom" library only.
// @source https://www.w3.org/TR/wasm-js-api-2/
declare namespace WebAssembly {
  interface Descriptor {
    readonly name: string
    readonly kind: 'function' | 'table' | 'memory' | 'global'
  }
  class Module {
    constructor(bytes: Uint8Array)
    static imports(module: Module): Descriptor[]
    static exports(module: Module): Descriptor[]
  }
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum?: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Global {
    readonly value: unknown
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class RuntimeError extends Error {}
}
