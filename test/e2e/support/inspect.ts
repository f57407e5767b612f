import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { descendants } from './process.ts'

/** TCP state of a socket that listens. @source include/net/tcp_states.h */
const LISTEN = '0A'

/** Inodes of the sockets that a process has open. */
const socketsOf = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return [] // it was closed between the listing and the reading
    }
  })

/** Local addresses on which a process or one of its descendants listens, as /proc/net writes them. */
export const listening = (pid: number): readonly string[] => {
  const own = new Set([pid, ...descendants(pid)].flatMap(socketsOf))
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === LISTEN && own.has(inode ?? ''))
      .map(([, local]) => local ?? ''),
  )
}

/** Tells which of some texts stand anywhere in the writable memory of a process. */
export const inMemory = (pid: number, texts: readonly string[]): readonly string[] => {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const found = new Set<string>()
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
      if (from === undefined || to === undefined || rights?.startsWith('rw') !== true) continue
      search(memory, { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }, texts, found)
    }
  } finally {
    closeSync(memory)
  }
  return [...found]
}

const PIECE = 16 * 1_048_576

const search = (
  memory: number,
  { from, to }: { readonly from: number; readonly to: number },
  texts: readonly string[],
  found: Set<string>,
): void => {
  const overlap = Math.max(...texts.map((text) => text.length))
  for (let at = from; at < to; at += PIECE) {
    const piece = Buffer.alloc(Math.min(PIECE + overlap, to - at))
    try {
      readSync(memory, piece, 0, piece.length, at)
    } catch {
      continue // guard pages cannot be read
    }
    for (const text of texts) if (piece.includes(text) || piece.includes(Buffer.from(text, 'utf16le'))) found.add(text)
  }
}
