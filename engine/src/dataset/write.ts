import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { endianness } from 'node:os'
import type { PartCounts } from './card.ts'

/** Appends documents to a file of tokens. */
export interface TokenFile {
  /** @param bytes of the document's text */
  add(tokens: Uint16Array, bytes: number): Promise<void>
  /** Puts everything on the disk. @returns its SHA-256, hexadecimal without 0x, and what was counted */
  close(): Promise<{ readonly sha256: string; readonly counts: PartCounts }>
  /** Gives up. */
  abandon(): Promise<void>
}

/** Creates a file of tokens; only the document at hand is in memory. */
export const createTokenFile = async (path: string): Promise<TokenFile> => {
  const file = await open(path, 'wx')
  const hash = createHash('sha256')
  let counts: PartCounts = { documents: 0, tokens: 0, bytes: 0 }
  return {
    add: async (tokens, bytes) => {
      const content = Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength)
      if (endianness() === 'BE') content.swap16()
      hash.update(content)
      await file.writeFile(content) // goes on from where the last one ended
      counts = {
        documents: counts.documents + 1,
        tokens: counts.tokens + tokens.length,
        bytes: counts.bytes + bytes,
      }
    },
    close: async () => {
      await file.sync()
      await file.close()
      return { sha256: hash.digest('hex'), counts }
    },
    abandon: () => file.close(),
  }
}
