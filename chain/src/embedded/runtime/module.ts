import { zstdDecompressSync } from 'node:zlib'
import { SubnetError } from '@arbor/shared/errors'

/** A runtime, compiled. */
export interface RuntimeModule {
  readonly module: WebAssembly.Module
  /** Pages that the runtime wants its imported memory to have at the start. */
  readonly initialPages: number
  readonly imports: readonly string[]
}

/** What stands before a compressed runtime. @source sp_maybe_compressed_blob ZSTD_PREFIX */
const ZSTD_PREFIX = Uint8Array.of(82, 188, 83, 118, 70, 219, 142, 5)
/** @source sp_maybe_compressed_blob CODE_BLOB_BOMB_LIMIT */
const MAX_CODE_BYTES = 50 * 2 ** 20

/**
 * Compiles a runtime blob, plain or compressed.
 * @throws CHAIN_BAD_RUNTIME when it is no WebAssembly module that a Substrate host can run
 */
export const compileRuntime = (blob: Uint8Array): RuntimeModule => {
  try {
    const code = decompress(blob)
    const module = new WebAssembly.Module(code)
    const imports = WebAssembly.Module.imports(module)
    if (!imports.some(({ kind }) => kind === 'memory')) throw new Error('it imports no memory')
    return {
      module,
      initialPages: importedPages(code),
      imports: imports.filter(({ kind }) => kind === 'function').map(({ name }) => name),
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SubnetError({
      code: 'CHAIN_BAD_RUNTIME',
      message: `The runtime blob of ${blob.length} bytes cannot be used: ${why}; build it with --import-memory, or take the one that comes with Arbor`,
      cause,
    })
  }
}

const decompress = (blob: Uint8Array): Uint8Array =>
  Buffer.compare(blob.subarray(0, ZSTD_PREFIX.length), ZSTD_PREFIX) === 0
    ? zstdDecompressSync(blob.subarray(ZSTD_PREFIX.length), { maxOutputLength: MAX_CODE_BYTES })
    : blob

/** Reads the initial size of the imported memory: V8 does not tell it. @source WebAssembly core 1.0 §5.5.5 */
const importedPages = (code: Uint8Array): number => {
  const at = { offset: 8 } // magic and version
  while (at.offset < code.length) {
    const section = code[at.offset]
    at.offset += 1
    const size = leb(code, at)
    if (section === 2) return pagesOfImports(code, at)
    at.offset += size
  }
  throw new Error('it has no import section')
}

const pagesOfImports = (code: Uint8Array, at: { offset: number }): number => {
  for (let left = leb(code, at); left > 0; left -= 1) {
    skip(code, at) // module
    skip(code, at) // name
    const kind = code[at.offset]
    at.offset += 1
    if (kind === 2) {
      at.offset += 1 // flags
      return leb(code, at)
    }
    if (kind === 0) leb(code, at)
    else if (kind === 1) {
      at.offset += 2 // element type, flags
      const flags = code[at.offset - 1] ?? 0
      leb(code, at)
      if ((flags & 1) === 1) leb(code, at)
    } else at.offset += 2 // global: type, mutability
  }
  throw new Error('it imports no memory')
}

const skip = (code: Uint8Array, at: { offset: number }): void => {
  const length = leb(code, at)
  at.offset += length
}

/** Reads an unsigned LEB128 number. */
const leb = (code: Uint8Array, at: { offset: number }): number => {
  let value = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = code[at.offset]
    if (byte === undefined) throw new Error('it ends within a number')
    at.offset += 1
    value += (byte & 127) * factor
    if (byte < 128) return value
  }
}
