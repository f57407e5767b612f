import { isIPv6 } from 'node:net'

/**
 * Names whom a socket address counts for: an IPv4 address, or the /64 of an IPv6 one, since a single host is given 2⁶⁴ of those.
 * Anything that is no address, such as the name of a relay, counts for itself.
 */
export const remoteKey = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [bare = ''] = address.split('%')
  if (!isIPv6(bare)) return address
  const [head = '', tail] = bare.toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  if (tail === undefined) return `${first.slice(0, 4).join(':')}/64`
  const last = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}/64`
}
