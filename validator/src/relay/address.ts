import { isIPv6, type Socket } from 'node:net'

/** Writes an address without the prefix that dual-stack sockets give IPv4. */
export const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')

/** Names whom bounds per address count as one: an IPv4 address, or an IPv6 network of 64 bits, which anyone gets as a whole. */
export const callerOf = (socket: Pick<Socket, 'remoteAddress'>): string => {
  const address = plainAddress(socket.remoteAddress)
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** Makes the test of whether a signed host names this end of a connection: its own address, or a name that the operator gave. */
export const ownHosts = (
  socket: Pick<Socket, 'localAddress' | 'localPort'>,
  names: ReadonlySet<string>,
): ((host: string) => boolean) => {
  const address = plainAddress(socket.localAddress)
  const own = `${isIPv6(address) ? `[${address}]` : address}:${socket.localPort}`
  const local = isLoopback(address) ? `localhost:${socket.localPort}` : own
  return (host) => host === own || host === local || names.has(host)
}

/** Tells whether an address is this machine's own. */
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')
