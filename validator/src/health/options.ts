import { isIP } from 'node:net'
import { integerArgument } from '@arbor/chain/options'
import { type Command, InvalidArgumentError } from 'commander'
import type { Place } from './messages.ts'

/** Options of a process that watches over itself. */
export interface HealthOptions {
  readonly health?: Place
  /** Not read by commander, whose complaints show it. */
  readonly webhook?: string
  /** Seconds. */
  readonly hangAfter: number
}

/** Adds --health, --webhook and --hang-after. */
export const withHealth = (command: Command): Command =>
  command
    .option(
      '--health <[ip:]port>',
      'serve /livez, /readyz and /metrics there; at loopback when no address is named (default: listen nowhere)',
      healthArgument,
    )
    .option('--webhook <url>', 'post alarms there, as JSON')
    .option(
      '--hang-after <seconds>',
      'end the process when its main thread gives no sign of life for so long',
      integerArgument(2, 3_600),
      60,
    )

/** Reads where health is served: a port of loopback, or an address and a port; an address of IPv6 stands in brackets. */
export const healthArgument = (text: string): Place => {
  const [, ip, digits] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const bracketed = /^\[(.*)\]$/.exec(ip ?? '')?.[1]
  const host = bracketed ?? ip ?? '127.0.0.1'
  const port = Number(digits)
  const family = isIP(host)
  if (digits === undefined || port > 65_535 || family === 0 || (family === 6) !== (bracketed !== undefined))
    throw new InvalidArgumentError('a port, address:port or [IPv6 address]:port is due')
  return { host, port }
}
