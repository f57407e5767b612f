import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'
import type { Place } from './server.ts'

/** Reads an address to listen on. */
export const addressArgument = (text: string): string => {
  if (isIP(text) === 0) throw new InvalidArgumentError('an IPv4 or IPv6 address is due, no name')
  return text
}

/** Reads one more name under which a server is dialled, as host:port. */
export const hostArgument = (text: string, before: readonly string[]): readonly string[] => {
  const url = URL.canParse(`ws://${text}`) ? new URL(`ws://${text}`) : null
  if (url === null || !/:\d+$/.test(text) || url.pathname !== '/' || url.username !== '')
    throw new InvalidArgumentError(`"${text}" is no host:port`)
  return [...before, text.toLowerCase()]
}

/** Reads where a validator listens: a port, or an address and a port; an address alone of IPv6 stands in brackets. */
export const listenArgument = (text: string): Place => {
  const [, ip, digits] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const host = (ip ?? '0.0.0.0').replace(/^\[(.*)\]$/, '$1')
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || isIP(host) === 0)
    throw new InvalidArgumentError(`"${text}" is no port, and no address:port`)
  return { host, port }
}
