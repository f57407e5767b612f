import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { type ChainConnection, connectChain } from '../client/connect.ts'
import { readableLog } from '../readable-log.ts'
import { developmentSecret, readSecret, writeSecret } from './key.ts'
import { readPulses, relayPulses } from './relay.ts'
import { runBeacon } from './run.ts'

/** Flags of `arbor chain beacon`. */
export interface BeaconOptions {
  readonly url: string
  readonly dev?: boolean
  readonly key?: string
  readonly newKey?: string
  readonly relay?: string
  readonly catchUp: number
  readonly logLevel: LogLevel
  readonly json?: boolean
}

/** A beacon waits this long for a chain that is being restarted. */
const GIVE_UP_MS = 3_600_000 // 1 h

/** Runs a local beacon until it is told to stop, relays recorded pulses, or makes a key. */
export async function beacon(context: CommandContext, options: BeaconOptions): Promise<void> {
  const { cwd, signal, stdout, stderr } = context
  const { dev, key, newKey, relay } = options
  if ([dev, key, newKey, relay].filter((entry) => entry !== undefined).length !== 1)
    throw new SubnetError({
      code: 'BEACON_WHICH_KEY',
      message: 'give exactly one of --dev, --key FILE, --new-key FILE and --relay FILE',
    })
  if (newKey !== undefined) {
    stdout.write(`${JSON.stringify(writeSecret(resolve(cwd, newKey), randomBytes(32)))}\n`)
    return
  }
  const secret = dev ? developmentSecret() : key === undefined ? null : readSecret(resolve(cwd, key))
  const pulses = relay === undefined ? [] : readPulses(resolve(cwd, relay))
  const log = createLogger({
    name: 'beacon',
    level: options.logLevel,
    destination: options.json ? { write: (line) => void stderr.write(line) } : readableLog(stderr),
  })
  const limits = secret === null ? {} : { giveUpMs: GIVE_UP_MS }
  const chain: ChainConnection = await connectChain({
    url: options.url,
    signal,
    clock: systemClock,
    log,
    limits,
    needs: ['beacon'],
  })
  try {
    if (secret !== null) await runBeacon({ chain, secret, catchUp: options.catchUp, log }, signal)
    else {
      const rounds = (await relayPulses(chain, pulses, signal)).map(String)
      stdout.write(options.json ? `${JSON.stringify({ rounds })}\n` : `${told(rounds)}\n`)
    }
  } finally {
    await chain.close()
  }
}

const told = (rounds: readonly string[]): string =>
  rounds.length === 0 ? 'the chain has them all already' : `the chain took round ${rounds.join(', ')}`
