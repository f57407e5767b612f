import type { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import { badAnswer, behind, forked } from './errors.ts'
import { type HeadRef, isHash, type ReadHeader } from './header.ts'
import type { Lineage } from './lineage.ts'
import type { Request } from './socket-types.ts'
import type { BlockRef } from './types.ts'

/** An endpoint that is so few blocks behind is waited for while it catches up; one that is more is left. */
export const MOST_BEHIND = 8

/** Reads the finalised head of an endpoint. @throws CHAIN_ANSWER */
export async function readFinalised(request: Request, readHeader: ReadHeader): Promise<HeadRef> {
  const hash = await request('chain_getFinalizedHead', [])
  const head = readHeader(await request('chain_getHeader', [hash]))
  if (head.hash !== hash) throw badAnswer(`chain_getHeader with the header of ${head.hash}`, hash)
  return head
}

/**
 * Holds what an endpoint says is final against the final blocks that were seen.
 * @returns the error of an endpoint that is on another fork, or behind by any number of blocks; null when it goes on where we are
 * @throws CHAIN_ANSWER, and what the request throws
 */
export async function standing(
  of: { readonly lineage: Lineage; readonly request: Request; readonly url: string },
  head: HeadRef,
): Promise<SubnetError | null> {
  const { lineage, request, url } = of
  for (;;) {
    const newest = lineage.newest()
    if (newest === null) return null
    const known = lineage.hashAt(head.number)
    if (known !== null && known !== head.hash) return forked({ url, block: head.number, seen: known, found: head.hash })
    if (head.number < newest.number) return behind({ url, final: head.number, seen: newest.number })
    if (known !== null) return null
    const found = head.number === newest.number + 1 ? head.parentHash : await hashOf(request, newest.number)
    if (found !== newest.hash) return forked({ url, block: newest.number, seen: newest.hash, found })
    if (lineage.newest() === newest) return null // else another head was taken while we asked
  }
}

const hashOf = async (request: Request, number: Block): Promise<Hex> => {
  const hash = await request('chain_getBlockHash', [number])
  if (!isHash(hash)) throw badAnswer(`chain_getBlockHash of ${number}, which is before its final block`, hash)
  return hash
}

/** The finalised head as it is passed on: it never goes back, and never to another fork. */
export interface Finality {
  /** Asks for the newest final block; leaves an endpoint that tells of another fork and asks the next one. @throws CHAIN_* */
  look(request?: Request): Promise<BlockRef>
  /** Takes a head that the chain told; one of an endpoint that is to be left is dropped. */
  take(json: unknown): Promise<void>
  newest(): BlockRef | null
  /** Calls with each new final block, until the result is called. */
  follow(listener: () => void): () => void
}

export const createFinality = (of: {
  readonly request: Request
  readonly readHeader: ReadHeader
  readonly lineage: Lineage
  readonly url: () => string
  /** Leaves the endpoint from which a connection's answer came. */
  readonly suspect: (error: SubnetError, connection: number) => void
  readonly connection: () => number
}): Finality => {
  const { lineage, readHeader } = of
  const listeners = new Set<() => void>()

  /** Takes a head; the error says what is wrong with who told it. */
  const accept = async (request: Request, head: HeadRef): Promise<SubnetError | null> => {
    const wrong = await standing({ lineage, request, url: of.url() }, head)
    if (wrong?.code === 'CHAIN_BEHIND')
      return (lineage.newest()?.number ?? 0) - head.number > MOST_BEHIND ? wrong : null
    if (wrong !== null) return wrong
    const newest = lineage.newest()
    lineage.add(head)
    if (newest?.hash !== head.hash) for (const listener of [...listeners]) listener()
    return null
  }

  return {
    look: async (request = of.request) => {
      for (;;) {
        const connection = of.connection()
        const wrong = await accept(request, await readFinalised(request, readHeader))
        const newest = lineage.newest()
        if (wrong === null && newest !== null) return newest
        // The next question waits for another connection, or rejects when there is none left.
        if (wrong !== null) of.suspect(wrong, connection)
      }
    },
    take: async (json) => {
      const connection = of.connection()
      try {
        const wrong = await accept(of.request, readHeader(json))
        if (wrong !== null && wrong.code !== 'CHAIN_BEHIND') of.suspect(wrong, connection)
      } catch {
        // A head that cannot be read or checked now is one that the next look finds.
      }
    },
    newest: lineage.newest,
    follow: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
