import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { reading } from './failures.ts'
import { bytesOf, numberOf, type Statements } from './sql.ts'

/** Lets go of old states and of forks; all of it runs within the caller's transaction. */
export interface Pruning {
  /** Reads a number that the database keeps under a name; 0 when it keeps none. */
  meta(name: 'finalized' | 'firstState'): number
  /** Makes blocks up to this number final; forks that left the chain below it go. */
  finalize(number: number): void
  /** Begins with a block whose state is the first one, and which is final. */
  begin(number: number): void
  /** Lets go of states that are `keep` behind the best block, a bounded number of them. */
  advance(best: number): void
  /** Forgets the hashes of the best chain above a number. */
  cutNumbers(above: number): void
}

/** States let go with one block: more than one, so that a chain that kept more catches up. */
const MOST_AT_ONCE = 16

/** Creates the pruning of a database. @param keep newest blocks whose state is kept, Infinity for all */
export const createPruning = (sql: Statements, keep: number): Pruning => {
  const meta = (name: string): number => {
    const row = reading(() => sql.getMeta.get(name))
    return row === undefined ? 0 : Number(Buffer.from(bytesOf(row, 'value')).toString())
  }
  const setMeta = (name: string, value: number): void => void sql.setMeta.run(name, Buffer.from(String(value)))

  /** What the next block retired lives in no state that is kept. */
  const dropState = (number: number): void => {
    const next = sql.blockAt.get(number + 1)
    const gone = sql.hashAt.get(number)
    if (next === undefined || gone === undefined) return
    for (const id of unpackIds(bytesOf(next, 'retired'))) sql.dropNode.run(id)
    // The header of genesis is asked for at any age.
    if (number === 0) sql.dropState.run(bytesOf(gone, 'hash'))
    else sql.dropBlock.run(bytesOf(gone, 'hash'))
  }
  const finalize = (number: number): void => {
    const before = meta('finalized')
    if (number <= before) return
    setMeta('finalized', number)
    const left = new Set<Hex>()
    for (const row of sql.others.all(before)) {
      const hash = bytesOf(row, 'hash')
      const height = numberOf(row, 'number') ?? 0
      const parentHash = toHex(bytesOf(row, 'header').subarray(0, 32)) // not decoded: a damaged block may be among them
      if (height > number && !left.has(parentHash)) continue
      left.add(toHex(hash))
      sql.dropNodes.run(numberOf(row, 'first') ?? 0, numberOf(row, 'end') ?? 0)
      sql.dropBlock.run(hash)
    }
  }
  return {
    meta,
    finalize,
    begin: (number) => {
      setMeta('finalized', number)
      setMeta('firstState', number)
    },
    advance: (best) => {
      const first = meta('firstState')
      const wanted = Math.min(best - keep, meta('finalized'))
      const until = Math.min(wanted, first + MOST_AT_ONCE)
      for (let number = first; number < until; number += 1) dropState(number)
      if (until > first) setMeta('firstState', until)
    },
    cutNumbers: (above) => void sql.cutNumbers.run(above),
  }
}

/** Writes numbers of nodes as 64-bit floats, which hold all that a count of nodes can reach. */
export const packIds = (ids: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(ids).buffer)

const unpackIds = (packed: Uint8Array): Float64Array => new Float64Array(packed.slice().buffer)
