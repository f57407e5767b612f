import { SubnetError } from '@arbor/shared/errors'

/** Gives out the runtime's heap. */
export interface Allocator {
  allocate(size: number): number
  free(pointer: number): void
  /** Forgets all blocks and begins at `heapBase`. */
  reset(heapBase: number): void
  /** First address that was never given out. */
  top(): number
}

const PAGE = 65_536
const HEADER = 8
/** Blocks have 2^3 … 2^25 bytes. @source sp_core MAX_POSSIBLE_ALLOCATION = 32 MiB */
const SMALLEST_ORDER = 3
const LARGEST_ORDER = 25
/** 256 MiB, twice what Substrate gives a runtime by default. */
const MAX_PAGES = 4_096
const OCCUPIED = 1
const FREE = 0

/**
 * Creates the allocator that the runtime expects of its host: blocks of powers of two, each after a
 * header of 8 bytes. The runtime writes into the last 2 bytes of the header, so the header holds the order of the block in
 * its first 4 bytes and a mark in the fifth only.
 * @source sc-allocator freeing_bump
 */
export const createAllocator = (memory: WebAssembly.Memory): Allocator => {
  const freed: number[][] = Array.from({ length: LARGEST_ORDER + 1 }, () => [])
  let base = 0
  let top = 0
  let view = new DataView(memory.buffer)

  const bump = (order: number): number => {
    const pointer = top + HEADER
    const end = pointer + 2 ** order
    if (end > memory.buffer.byteLength) grow(memory, end)
    top = end
    return pointer
  }
  const header = (): DataView => {
    if (view.buffer !== memory.buffer) view = new DataView(memory.buffer)
    return view
  }
  return {
    top: () => top,
    reset: (heapBase) => {
      base = (heapBase + HEADER - 1) & ~(HEADER - 1)
      top = base
      for (const list of freed) list.length = 0
    },
    allocate: (size) => {
      const order = Math.max(SMALLEST_ORDER, 32 - Math.clz32(Math.max(size >>> 0, 1) - 1))
      if (order > LARGEST_ORDER) throw outOfMemory(`asked for ${size >>> 0} bytes at once`)
      const pointer = freed[order]?.pop() ?? bump(order)
      header().setUint32(pointer - HEADER, order, true)
      header().setUint8(pointer - HEADER + 4, OCCUPIED)
      return pointer
    },
    free: (pointer) => {
      const at = (pointer >>> 0) - HEADER
      const order = at >= base && at + HEADER <= top ? header().getUint32(at, true) : -1
      const list = freed[order]
      if (list === undefined || order < SMALLEST_ORDER || header().getUint8(at + 4) !== OCCUPIED) {
        throw new SubnetError({
          code: 'CHAIN_RUNTIME_HEAP',
          message: `The runtime freed ${pointer >>> 0}, which is no allocated block; the runtime is broken`,
        })
      }
      header().setUint8(at + 4, FREE)
      list.push(pointer >>> 0)
    },
  }
}

/** Grows to at least `bytes`, and at least doubles, so that growing is rare. */
const grow = (memory: WebAssembly.Memory, bytes: number): void => {
  const pages = memory.buffer.byteLength / PAGE
  const needed = Math.ceil(bytes / PAGE)
  if (needed > MAX_PAGES) throw outOfMemory(`needs ${bytes} bytes`)
  memory.grow(Math.min(MAX_PAGES, Math.max(needed, pages * 2)) - pages)
}

const outOfMemory = (what: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_RUNTIME_HEAP',
    message: `The runtime ${what}, more than its heap of ${(MAX_PAGES * PAGE) / 2 ** 20} MiB gives; make the call smaller`,
  })
