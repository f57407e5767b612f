import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import type { Hex } from '@arbor/shared/units'

/** Where a miner is reached. */
export interface Address {
  /** Dotted IPv4 or IPv6 text. */
  readonly ip: string
  readonly port: number
}

/** Which announced addresses are dialled; `auto` decides by the chain's own address. */
export const PRIVATE_ADDRESSES = ['allow', 'refuse', 'auto'] as const
export type PrivateAddresses = (typeof PRIVATE_ADDRESSES)[number]

/** A chain by what tells where it runs. */
export interface ChainAddress {
  /** WebSocket address of the chain. */
  readonly url: string
  /** All its addresses, where there are several. */
  readonly urls?: readonly string[]
  readonly genesisHash: Hex
}

/** Tells whether miners at addresses that are not of the public internet are dialled. */
export const allowsPrivate = (rule: PrivateAddresses, chain: ChainAddress): boolean =>
  rule === 'allow' || (rule === 'auto' && isLocalChain(chain))

const listOf = (v4: readonly string[], v6: readonly string[]): BlockList => {
  const list = new BlockList()
  const add = (subnets: readonly string[], family: 'ipv4' | 'ipv6'): void => {
    for (const subnet of subnets) {
      const [net = '', bits = ''] = subnet.split('/')
      list.addSubnet(net, Number(bits), family)
    }
  }
  add(v4, 'ipv4')
  add(v6, 'ipv6')
  return list
}

/** Never a miner, wherever the chain is: unspecified, multicast, reserved, and the metadata services of clouds. */
const never = listOf(
  ['0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', '169.254.169.254/32', '169.254.170.2/32', '100.100.100.200/32'],
  ['::/128', 'ff00::/8', 'fd00:ec2::254/128', '100::/64'],
)

/**
 * Addresses that are not of the public internet.
 * @source RFC 6890 and the IANA special-purpose address registries
 */
const special = listOf(
  [
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
  ],
  ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
)
/** What is global unicast at all; everything else of IPv6 is local, translated or reserved. */
const globalV6 = listOf([], ['2000::/3'])
/** IPv4 in IPv6's clothes, in the last 32 bits: mapped, and translated by NAT64. */
const embeds = listOf([], ['::ffff:0:0/96', '64:ff9b::/96'])

/** Tells what keeps an address from being dialled; null when nothing does. */
export function refusalOf({ ip, port }: Address, privateAllowed: boolean): string | null {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'it has no port'
  const plain = unwrapped(ip)
  if (plain === null) return 'it is no IP address'
  if (never.check(plain, familyOf(plain))) return 'no neuron can be there'
  if (!privateAllowed && isSpecial(plain)) return 'it is not of the public internet (--private-addresses)'
  return null
}

const familyOf = (ip: string): 'ipv4' | 'ipv6' => (isIPv4(ip) ? 'ipv4' : 'ipv6')

const isSpecial = (ip: string): boolean =>
  isIPv4(ip) ? special.check(ip) : !globalV6.check(ip, 'ipv6') || special.check(ip, 'ipv6')

/** Takes IPv4 out of IPv6 that embeds it, so that one rule holds for both; null for what is no address. */
function unwrapped(ip: string): string | null {
  if (isIP(ip) === 0 || ip.includes('%')) return null // a zone names an interface of this machine
  if (!isIPv6(ip) || !embeds.check(ip, 'ipv6')) return ip
  const groups = new URL(`http://[${ip}]/`).hostname.slice(1, -1).split(':')
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/**
 * Bittensor's networks, whose neurons anybody can register: a node of one's own makes them no private chain.
 * @source bittensor_cli 9.23.2, src/__init__.py, finney and test
 */
const PUBLIC_GENESES: ReadonlySet<string> = new Set([
  '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03',
  '0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105',
])

/**
 * Tells whether a chain is one of a laptop or a private network: each of its addresses is loopback or private, or a name without a
 * dot, and it is none of Bittensor's public networks.
 */
export function isLocalChain({ url, urls = [url], genesisHash }: ChainAddress): boolean {
  return !PUBLIC_GENESES.has(genesisHash.toLowerCase()) && urls.every(isLocalUrl)
}

const isLocalUrl = (url: string): boolean => {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const plain = unwrapped(host)
  return plain === null ? !host.includes('.') : isSpecial(plain) || never.check(plain, familyOf(plain))
}

/** Writes an address as an origin's host and port. */
export const hostPort = ({ ip, port }: Address): string => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`
