import { canonicalJson } from '@arbor/shared/canonical-json'
import { leafHash } from '@arbor/shared/merkle'
import type { Block } from '@arbor/shared/units'
import type { LogEntry } from './entry.ts'

/** Encodes an entry: what is hashed, stored and served. */
export const encodeEntry = (entry: LogEntry): string => canonicalJson(entry)

/** Hashes an encoded entry as a leaf of the log's tree. */
export const leafOf = (encoded: string): Uint8Array => leafHash(Buffer.from(encoded))

/** The block that an entry speaks of, by which pages and epochs are found. */
export const blockOf = (entry: LogEntry): Block | null => {
  switch (entry.kind) {
    case 'terms':
    case 'state':
    case 'move':
    case 'source':
      return entry.block
    case 'round':
      return entry.start.number
    case 'verdict':
    case 'round-end':
      return entry.roundBlock
    case 'score':
      return entry.lastRoundBlock
    case 'audit':
      return entry.before
    case 'forfeit':
      return entry.forfeit.atBlock
    case 'row':
      return entry.block.number
    case 'checkpoint':
      return entry.votedAt
  }
}
