import { randomBytes } from 'node:crypto'
import { connectChain } from '@arbor/chain/client/connect'
import { integerArgument, type NetworkOptions, netuidArgument, withLogLevel, withNetwork } from '@arbor/chain/options'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { fromHex } from '@arbor/shared/hex'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { supervise } from '@arbor/shared/supervise'
import { type NetUid, netUid } from '@arbor/shared/units'
import { Command } from 'commander'
import { followMetagraph, registrationsOf } from './follow.ts'
import { defaultRelayLimits, type RelayLimits } from './limits.ts'
import { addressArgument, hostArgument } from './options.ts'
import { startRelay } from './relay.ts'

interface Options extends NetworkOptions {
  readonly netuid: NetUid
  readonly ip: string
  readonly port: number
  readonly name: readonly string[]
  readonly maxMiners: number
  readonly maxInFlight: number
  readonly perMiner: number
  readonly perAddress: number
  readonly maxBody: number
  readonly probes: boolean
  readonly logLevel: LogLevel
}

const D = defaultRelayLimits
const KIB = 1024

/** Makes `arbor relay`: carries sealed questions to miners that have no open port, until the signal. */
export function relayCommand(context: CommandContext): Command {
  return withNetwork(withLogLevel(new Command('relay')))
    .description('carry sealed questions to miners that have no open port and dial this relay')
    .option('--netuid <n>', 'the subnet whose registered hotkeys may dial', netuidArgument, netUid(1))
    .option('--ip <address>', 'the address to listen on; 0.0.0.0 for all', addressArgument, '127.0.0.2')
    .option('--port <n>', 'the port to listen on, 0 takes a free one', integerArgument(0, 65_535), 8_095)
    .option('--name <host:port...>', 'names under which miners dial it, besides its own addresses', hostArgument, [])
    .option('--max-miners <n>', 'miners connected at once', integerArgument(1, 65_536), D.miners)
    .option('--max-in-flight <n>', 'questions in flight at once', integerArgument(1, 65_536), D.inFlight)
    .option('--per-miner <n>', 'questions in flight to one miner', integerArgument(1, 4_096), D.inFlightPerMiner)
    .option(
      '--per-address <n>',
      'questions in flight from one address',
      integerArgument(1, 65_536),
      D.inFlightPerAddress,
    )
    .option('--max-body <kib>', 'largest question, in KiB', integerArgument(1, 65_536), D.bodyBytes / KIB)
    .option('--no-probes', 'do not dial miners back that ask whether they can be reached')
    .option('--json', 'print where it listens as one JSON line')
    .action((options: Options) => run(context, options))
}

const limitsOf = (options: Options): RelayLimits => ({
  ...D,
  miners: options.maxMiners,
  inFlight: options.maxInFlight,
  inFlightPerMiner: options.perMiner,
  inFlightPerAddress: options.perAddress,
  bodyBytes: options.maxBody * KIB,
  totalBodyBytes: Math.max(D.totalBodyBytes, options.maxBody * KIB),
})

async function run({ signal, stdout, stderr }: CommandContext, options: Options): Promise<void> {
  const { netuid, ip, port } = options
  const log = createLogger({ name: 'relay', level: options.logLevel, destination: stderr })
  const chain = await connectChain({ url: options.network, signal, clock: systemClock, log, needs: ['metagraph'] })
  try {
    const { hash } = await chain.finalized()
    const relay = await startRelay({
      place: { host: ip, port },
      names: options.name,
      isOpen: true,
      probes: options.probes,
      genesisHash: fromHex(chain.genesisHash),
      netuid,
      self: new Uint8Array(32), // nobody's: no certificate is meant for it alone
      registrations: registrationsOf(await chain.metagraph(netuid, hash)),
      limits: limitsOf(options),
      randomBytes,
      clock: systemClock,
      log,
    })
    await using _open = { [Symbol.asyncDispose]: () => relay.close() }
    const url = `ws://${ip.includes(':') ? `[${ip}]` : ip}:${relay.port}`
    log.info({ event: 'relay.ready', url, netuid }, 'relay listens')
    stdout.write(
      options.json
        ? `${JSON.stringify({ event: 'relay.ready', url, netuid })}\n`
        : `Relaying for subnet ${netuid} at ${url}\n`,
    )
    const onMetagraph = (metagraph: Parameters<typeof registrationsOf>[0]): void =>
      relay.update(registrationsOf(metagraph))
    const registrations = (until: AbortSignal): Promise<void> => followMetagraph({ chain, netuid, onMetagraph }, until)
    await supervise({ loops: { relay: relay.run, registrations }, signal, clock: systemClock })
    log.info({ event: 'relay.stopped' }, 'relay stops')
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await chain.close()
  }
}
