import { encodeCanonical } from '../protocol/canonical.ts'
import type { UnixMs } from '../units.ts'

/** Where a miner dials, on whatever listens; and the subprotocol of that WebSocket. */
export const DIAL_PATH = '/.arbor/dial'
export const DIAL_PROTOCOL = 'arbor.2'
/**
 * What a neuron's axon is for, in the field `protocol` of its announcement: to be asked by HTTP, as of every Bittensor axon, or
 * to be dialled by miners, as of a validator that listens.
 */
export const AXON_PROTOCOL = { ask: 4, dial: 5 } as const
/** Where a miner asks to be dialled back, and where its certificate is. */
export const PROBE_PATH = '/.arbor/probe'
export const CERTIFICATE_PATH = '/.arbor/certificate/'

/**
 * Encodes what a session key signs to prove a connection.
 * @param of.challenge 32 bytes of this connection
 * @param of.host the host that was dialled, as "host:port"; so that whoever was dialled cannot pass the proof on
 */
export const dialStatement = (of: { readonly challenge: Uint8Array; readonly host: string }): Uint8Array =>
  encodeCanonical(['arbor/dial/2', of.challenge, of.host])

/**
 * Encodes what a session key signs to be dialled back.
 * @param of.host the host that is asked, as "host:port"
 * @param of.port the port to dial; the address is the one that the request comes from
 */
export const probeStatement = (of: {
  readonly host: string
  readonly port: number
  readonly sentAt: UnixMs
}): Uint8Array => encodeCanonical(['arbor/probe/2', of.host, of.port, of.sentAt])

/** Writes the host of a URL with its port, as it is signed: "host:port", lower case, brackets around IPv6. */
export const hostOf = (url: URL): string => {
  const port = url.port === '' ? (url.protocol === 'wss:' || url.protocol === 'https:' ? '443' : '80') : url.port
  return `${url.hostname.toLowerCase()}:${port}`
}
