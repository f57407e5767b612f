import { readFileSync } from 'node:fs'
import { plainAddress } from './address-kind.ts'

/** @source Linux include/net/tcp_states.h */
const TCP_LISTEN = '0A'

/**
 * Finds the addresses on which this machine listens at a port, by Linux's own tables.
 * @param read gives a file's text, or throws where there is no such file
 * @returns null where the system keeps no such tables
 */
export function listenersAt(port: number, read: (path: string) => string = readText): readonly string[] | null {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => {
    try {
      return read(path)
    } catch {
      return null // not Linux, or without IPv6
    }
  })
  if (tables.every((table) => table === null)) return null
  const found = tables
    .flatMap((table) => (table ?? '').split('\n').slice(1))
    .flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/)
      const [hex = '', hexPort = ''] = local.split(':')
      return state === TCP_LISTEN && Number.parseInt(hexPort, 16) === port ? [addressOf(hex)] : []
    })
  return [...new Set(found)].sort()
}

const readText = (path: string): string => readFileSync(path, 'utf8')

/** Reads an address as the kernel prints it: 32-bit words, each in the byte order of the machine (little-endian). */
const addressOf = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.length === 4) return [...bytes.reverse()].join('.')
  const groups = [0, 4, 8, 12].flatMap((at) => {
    const word = Buffer.from(bytes.subarray(at, at + 4))
      .reverse()
      .toString('hex')
    return [word.slice(0, 4), word.slice(4)]
  })
  const text = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
  return text.startsWith('::ffff:')
    ? plainAddress(`::ffff:${[...Buffer.from(groups.slice(6).join(''), 'hex')].join('.')}`)
    : text
}
