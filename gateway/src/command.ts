import { resolve } from 'node:path'
import { PRIVATE_ADDRESSES, type PrivateAddresses } from '@arbor/chain/address'
import {
  integerArgument,
  type NetworkOptions,
  netuidArgument,
  withLogLevel,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { openHotkeySigner, type SignerOptions, withSigner } from '@arbor/chain/signer/flags'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { type NetUid, netUid } from '@arbor/shared/units'
import { Command, Option } from 'commander'
import { KEYS_FILE, keyCommand } from './keys/command.ts'
import { openKeyRing } from './keys/ring.ts'
import { isLoopback, type Listen, listenArgument, urlOf } from './options.ts'
import { type GatewaySettings, runGateway } from './run.ts'

interface Options extends NetworkOptions, SignerOptions {
  readonly netuid: NetUid
  readonly spec: string
  readonly task: string
  readonly model?: string
  readonly listen: Listen
  /** Path of the file; false with --no-keys. */
  readonly keys: string | false
  readonly validatorData?: string
  readonly inFlight: number
  readonly perMiner: number
  readonly queue: number
  readonly privateAddresses: PrivateAddresses
  readonly logLevel: LogLevel
}

/** Makes `arbor gateway`: serves the OpenAI API with the subnet's miners, until the signal. */
export const gatewayCommand = (context: CommandContext): Command =>
  withNetwork(withSigner(withWallet(withLogLevel(new Command('gateway')), context)))
    .description("serve the OpenAI API with the subnet's miners, beside a validator")
    .enablePositionalOptions() // else this command would take the --keys of `key`
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--task <name>', "the spec's task that takes prompts and gives text", 'chat')
    .option('--model <name or folder>', "the spec's model, for its tokenizer (default: where the spec's name leads)")
    .option('--listen <[ip:]port>', 'where to serve', listenArgument, listenArgument('8080'))
    .option('--keys <file>', 'keys of callers, made by arbor gateway key add', KEYS_FILE)
    .option('--no-keys', 'let everybody on this machine ask; refused on other addresses than loopback')
    .option('--validator-data <folder>', "the validator's data: route by its scores, have users' answers audited")
    .option('--in-flight <n>', 'questions that miners work on at once', integerArgument(1, 4_096), 64)
    .option('--per-miner <n>', 'of them, to one miner', integerArgument(1, 4_096), 8)
    .option('--queue <n>', 'requests that wait for a miner', integerArgument(1, 16_384), 256)
    .addOption(
      new Option('--private-addresses <rule>', 'ask miners at addresses that are not of the public internet')
        .choices(PRIVATE_ADDRESSES)
        .default('auto', 'auto: when the chain itself is at such an address, and is no public one'),
    )
    .option('--json', 'print where it listens as one JSON line')
    .action((options: Options) => start(context, options))
    .addCommand(keyCommand(context))

const start = async (context: CommandContext, options: Options): Promise<void> => {
  const { stderr, cwd, signal } = context
  const { listen } = options
  const log = createLogger({ name: 'gateway', level: options.logLevel, destination: stderr })
  if (options.keys === false && !isLoopback(listen.host)) throw open(listen)
  const keys =
    options.keys === false ? null : openKeyRing({ file: resolve(cwd, options.keys), clock: systemClock, log })
  const hotkey = await openHotkeySigner({ context, options, clock: systemClock, log })
  const settings: GatewaySettings = {
    network: options.network,
    netuid: options.netuid,
    spec: options.spec,
    task: options.task,
    model: options.model ?? null,
    cwd,
    listen,
    validatorData: options.validatorData === undefined ? null : resolve(cwd, options.validatorData),
    limits: { inFlight: options.inFlight, perMiner: options.perMiner, waiting: options.queue },
    privateAddresses: options.privateAddresses,
  }
  const onReady = (url: string): void => {
    const { netuid } = options
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ event: 'gateway.ready', url, netuid })}\n`
        : `Serving subnet ${netuid} at ${url}/v1\n`,
    )
  }
  await runGateway({ settings, hotkey, keys, log, clock: systemClock, onReady }, signal)
}

const open = (listen: Listen): SubnetError =>
  new SubnetError({
    code: 'GATEWAY_OPEN',
    message: `--no-keys would let anybody who reaches ${urlOf(listen)} ask miners in your name; listen on 127.0.0.1, or make keys: arbor gateway key add NAME`,
  })
