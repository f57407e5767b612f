import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { refusalOf } from './address.ts'

/** Gives a URL's host as `net` takes it. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

/** Tells what keeps an http:// or https:// address from being dialled; null when nothing does, or only its name's addresses can. */
export const refusalOfUrl = (url: URL, privateAllowed: boolean): string | null => {
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '')
    return 'it is no plain http:// or https:// address'
  const host = hostOf(url)
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  return isIP(host) === 0 ? null : refusalOf({ ip: host, port }, privateAllowed)
}

/**
 * Looks names up, and gives only those of their addresses that may be dialled: a name is checked where it is used, so it cannot be
 * turned later.
 * @param refusal makes the error where none may be
 */
export const guardedLookup =
  (privateAllowed: boolean, refusal: (why: string) => Error): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 0)
      const usable = found.filter(({ address }) => refusalOf({ ip: address, port: 1 }, privateAllowed) === null)
      const [first] = usable
      if (first === undefined)
        return callback(refusal('its name stands for no address that may be dialled (--private-addresses)'), '', 0)
      if (options.all === true) callback(null, usable)
      else callback(null, first.address, first.family)
    })
  }
