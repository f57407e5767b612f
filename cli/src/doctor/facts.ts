import type { NetUid, Ss58 } from '@arbor/shared/units'
import { addressKind, sameAddress } from './address-kind.ts'
import type { Dialled } from './dial.ts'
import type { Outside } from './outside.ts'

/** An address and a port. */
export interface Place {
  readonly ip: string
  readonly port: number
}

/** What is known before anything is dialled. */
export interface Known {
  readonly netuid: NetUid
  readonly hotkey: Ss58
  /** Whether it answers questions, or is a validator that listens for miners. */
  readonly kind: 'miner' | 'listener'
  /** What the chain announces; null while the hotkey serves nothing. */
  readonly axon: Place | null
  /** What is judged: the chain's, or what flags name instead. */
  readonly announced: Place | null
  readonly isFromFlags: boolean
  /** Whether the chain is on this machine or a private network; then validators dial private addresses too. */
  readonly isLocalChain: boolean
  /** The port on which the miner is said to listen here. */
  readonly port: number
  /** Where validators of the subnet listen for miners that dial out. */
  readonly doors: readonly Place[]
  /** Addresses of this machine's interfaces. */
  readonly interfaces: readonly string[]
  /** Addresses on which something listens here at `port`; null where the system does not say. */
  readonly listeners: readonly string[] | null
}

/** All that was seen. */
export interface Facts extends Known {
  /** Whoever listens here at `port`. */
  readonly local: Dialled
  /** The announced address, dialled from this machine. */
  readonly inside: Dialled | null
  /** Whether those validators hold a connection of this miner. */
  readonly held: readonly Dialled[]
  /** The tries from outside. */
  readonly outside: readonly Outside[]
}

/** How addresses are dialled; real sockets, or a test's. */
export interface Dialler {
  readonly dial: (at: Place) => Promise<Dialled>
  readonly outside: (port: number) => Promise<readonly Outside[]>
}

/** Dials what is to be dialled: here, the announced address from here, and that from outside. */
export async function gather(known: Known, { dial, outside }: Dialler): Promise<Facts> {
  const { announced, port } = known
  const [here, inside, seen, held] = await Promise.all([
    Promise.all(localAddresses(known).map((ip) => dial({ ip, port }))),
    announced === null || announced.port === 0 ? null : dial(announced),
    outside(announced?.port || port),
    Promise.all(known.doors.slice(0, MAX_DOORS).map(dial)),
  ])
  const [first] = here
  const local = here.find(({ met }) => met === 'right') ?? first ?? (await dial({ ip: LOOPBACK, port }))
  return { ...known, local, inside, outside: seen, held }
}

/** Names what is looked for. */
export const who = ({ kind }: Pick<Known, 'kind'>): string =>
  kind === 'miner' ? 'the miner of this hotkey' : 'a validator that listens'

/** Tells whether an address is one of this machine's. */
export const isOwn = ({ interfaces }: Pick<Known, 'interfaces'>, ip: string): boolean =>
  addressKind(ip) === 'loopback' || interfaces.some((own) => sameAddress(own, ip))

const LOOPBACK = '127.0.0.1'
/** Validators that are asked at once. */
const MAX_DOORS = 64
/** A machine may listen at one port on many addresses, as a local net does. */
const MAX_LOCAL = 16

/** Lists where to ask whoever listens here, the announced address first. */
const localAddresses = ({ listeners, announced }: Known): readonly string[] => {
  const bound = (listeners ?? []).map((ip) => (ip === '0.0.0.0' ? LOOPBACK : ip === '::' ? '::1' : ip))
  const own = bound.filter((ip) => announced !== null && sameAddress(ip, announced.ip))
  return [...new Set([...own, ...bound])].slice(0, MAX_LOCAL)
}
