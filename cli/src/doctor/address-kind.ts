import { BlockList, isIP } from 'node:net'

/** What an address is for. `global` ones can be reached from anywhere, unless a firewall or a router is in the way. */
export type AddressKind =
  | 'global'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'carrier' // RFC 6598: shared by the customers of one provider, who cannot forward a port through it
  | 'link-local'
  | 'reserved'

/** @source IANA special-purpose address registries, IPv4 and IPv6 */
const RANGES: readonly (readonly [kind: AddressKind, network: string, bits: number])[] = [
  ['unspecified', '0.0.0.0', 8],
  ['loopback', '127.0.0.0', 8],
  ['private', '10.0.0.0', 8],
  ['private', '172.16.0.0', 12],
  ['private', '192.168.0.0', 16],
  ['carrier', '100.64.0.0', 10],
  ['link-local', '169.254.0.0', 16],
  ['reserved', '192.0.0.0', 24],
  ['reserved', '192.0.2.0', 24],
  ['reserved', '198.18.0.0', 15],
  ['reserved', '198.51.100.0', 24],
  ['reserved', '203.0.113.0', 24],
  ['reserved', '224.0.0.0', 3],
  ['unspecified', '::', 128],
  ['loopback', '::1', 128],
  ['private', 'fc00::', 7],
  ['link-local', 'fe80::', 10],
  ['reserved', '2001:db8::', 32],
  ['reserved', '100::', 64],
  ['reserved', 'ff00::', 8],
]

const lists = RANGES.map(([kind, network, bits]) => {
  const list = new BlockList()
  list.addSubnet(network, bits, familyOf(network))
  return { kind, list }
})

/** Tells what an address is for. @param ip dotted IPv4 or IPv6 text; IPv4 written as IPv6 counts as IPv4 */
export const addressKind = (ip: string): AddressKind => {
  const plain = plainAddress(ip)
  if (isIP(plain) === 0) return 'reserved'
  return lists.find(({ list }) => list.check(plain, familyOf(plain)))?.kind ?? 'global'
}

/** Writes IPv4 that is written as IPv6 ("::ffff:…") plainly. */
export const plainAddress = (ip: string): string => ip.replace(/^::ffff:(?=\d+\.)/i, '')

/** Tells whether two texts are the same address. */
export const sameAddress = (a: string, b: string): boolean => canonical(a) === canonical(b)

const canonical = (ip: string): string => {
  const plain = plainAddress(ip)
  return isIP(plain) === 6 ? new URL(`http://[${plain.replace(/%.*$/, '')}]`).hostname : plain
}

function familyOf(ip: string): 'ipv4' | 'ipv6' {
  return isIP(ip) === 6 ? 'ipv6' : 'ipv4'
}
