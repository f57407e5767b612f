import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'

/** Where the gateway listens. */
export interface Listen {
  readonly host: string
  readonly port: number
}

/** Reads where to listen: a port of this machine alone, or an address and a port; an IPv6 address stands in brackets. */
export const listenArgument = (text: string): Listen => {
  const [, given, digits] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const host = (given ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1')
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || isIP(host) === 0)
    throw new InvalidArgumentError(`"${text}" is no port, and no address:port`)
  return { host, port }
}

/** Tells whether an address reaches this machine alone. */
export const isLoopback = (host: string): boolean => host === '::1' || /^127\./.test(host)

/** Writes where a gateway is found. */
export const urlOf = ({ host, port }: Listen): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`
