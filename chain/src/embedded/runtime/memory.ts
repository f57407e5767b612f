import { type Key, toKey } from '../key.ts'

/** Pointer in the low 32 bits, length in the high ones. @source spec.polkadot.network "runtime pointer-size" */
export type Span = bigint

/** The memory of one instance of the runtime, as host functions use it. Views die when the memory grows: read, then allocate. */
export interface GuestMemory {
  /** A view, not a copy. */
  view(span: Span): Uint8Array
  /** A view, not a copy. @param length bytes */
  at(pointer: number, length: number): Uint8Array
  copy(span: Span): Uint8Array
  key(span: Span): Key
  text(span: Span): string
  /** Allocates and writes. */
  write(bytes: Uint8Array): Span
  /** Allocates and writes; for results whose length both sides know. */
  writeFixed(bytes: Uint8Array): number
}

/** Wraps a memory and its allocator. */
export const createGuestMemory = (memory: WebAssembly.Memory, allocate: (size: number) => number): GuestMemory => {
  const at = (pointer: number, length: number): Uint8Array => new Uint8Array(memory.buffer, pointer >>> 0, length)
  const view = (span: Span): Uint8Array => at(Number(span & 0xffff_ffffn), Number((span >> 32n) & 0xffff_ffffn))
  const writeFixed = (bytes: Uint8Array): number => {
    const pointer = allocate(bytes.length)
    at(pointer, bytes.length).set(bytes)
    return pointer
  }
  return {
    at,
    view,
    copy: (span) => view(span).slice(),
    key: (span) => toKey(view(span)),
    text: (span) => Buffer.from(view(span)).toString('utf8'),
    write: (bytes) => BigInt(writeFixed(bytes)) | (BigInt(bytes.length) << 32n),
    writeFixed,
  }
}
