import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { connectChain } from '@arbor/chain/client/connect'
import {
  amountArgument,
  integerArgument,
  type NetworkOptions,
  netuidArgument,
  withLogLevel,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { openHotkeySigner, type SignerOptions, withSigner } from '@arbor/chain/signer/flags'
import { ATTACK_NAMES } from '@arbor/engine/attacks/list'
import { findDataset } from '@arbor/engine/dataset/find'
import { findModel } from '@arbor/engine/find-model'
import { readModelFolder } from '@arbor/engine/folder'
import { parseProviders } from '@arbor/engine/providers'
import { trainingFolderOf } from '@arbor/engine/train/folder'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Provider } from '@arbor/shared/inference'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { type Alpha, type NetUid, netUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { TRAINING_ATTACK_NAMES } from '@arbor/subnet-spec/finetune/attacks/list'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { Command, InvalidArgumentError, Option } from 'commander'
import { openLists } from './admission/lists.ts'
import { type BackendFlags, backendOf, mustSuit, withBackend } from './backend.ts'
import { mustServeBittensor } from './bittensor/miner.ts'
import { mustAllowCheats, mustSuitAttack } from './cheat.ts'
import type { DialTargets } from './dial/dial.ts'
import { dialArgument } from './dial/targets.ts'
import { type MinerSettings, runMiner } from './miner.ts'
import { mustBeFree } from './port.ts'
import type { TrainingSettings } from './training/start.ts'

interface Options extends NetworkOptions, SignerOptions, BackendFlags {
  readonly netuid: NetUid
  readonly spec: string
  readonly model?: string
  readonly data?: string
  readonly ip: string
  readonly port?: number
  readonly externalIp?: string
  readonly externalPort?: number
  readonly dial?: DialTargets
  readonly threads: number
  readonly batch: number
  readonly providers: readonly Provider[]
  readonly cacheTokens?: number
  readonly queue: number
  readonly rate: number
  readonly minStake: Alpha
  readonly allow?: string
  readonly deny?: string
  readonly requireSeal: boolean
  readonly bittensor: boolean
  readonly cheat?: string
  readonly cheatFrom?: string
  readonly dataset?: string
  readonly graphs?: string
  readonly updateStore?: string
  readonly logLevel: LogLevel
}

const DEFAULT_PORT = 8_091

/** Makes `arbor miner`: serves a subnet's tasks to permitted validators until the signal. */
export function minerCommand(context: CommandContext): Command {
  return withBackend(withNetwork(withSigner(withWallet(withLogLevel(new Command('miner')), context))))
    .description("serve a subnet's tasks to validators that hold a permit")
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--model <name or path>', "the model (default: the spec's)")
    .option('--data <folder>', 'where it keeps whose sessions it met (default: .arbor/miner/<hotkey>)')
    .option('--ip <address>', 'the address to listen on', address, '127.0.0.2')
    .option(
      '--port <n>',
      'the port to listen on, 0 takes a free one (default: 8091; with --dial none)',
      integerArgument(0, 65_535),
    )
    .option('--external-ip <address>', 'the address that the chain announces (default: that of --ip)', address)
    .option(
      '--external-port <n>',
      'the port that the chain announces (default: that of --port)',
      integerArgument(1, 65_535),
    )
    .option(
      '--dial <urls>',
      'dial out instead of listening: relays as ws://host:port with commas between, or "validators" for all that listen',
      dialArgument,
    )
    .option('--threads <n>', 'worker threads that answer, each with a copy of the model', integerArgument(1, 64), 1)
    .option('--batch <n>', 'answers that one thread runs at once', integerArgument(1, 256), 8)
    .option(
      '--providers <list>',
      'what computes, with commas between: the first of cpu, cuda, webgpu that works is taken',
      providersArgument,
      ['cpu'],
    )
    .option(
      '--cache-tokens <n>',
      'tokens of cache for the running answers of one thread (default: what 512 MiB hold, and one full context at least)',
      integerArgument(1, 2 ** 31 - 1),
    )
    .option('--queue <n>', 'requests that wait for a place in a batch', integerArgument(1, 4_096), 64)
    .option('--rate <n>', 'requests a second that one validator may send', integerArgument(1, 10_000), 20)
    .addOption(
      new Option('--min-stake <alpha>', 'stake that a validator must have').argParser(alpha).default(0n as Alpha, '0'),
    )
    .option('--allow <list>', 'serve these hotkeys only: a file with one a line, or hotkeys with commas between')
    .option('--deny <list>', 'never serve these hotkeys, given in the same way')
    .option('--require-seal', 'refuse questions that are not encrypted', false)
    .option('--bittensor', "answer Bittensor's own dendrites too, whose answers nobody can sign", false)
    .addOption(
      new Option('--cheat <name>', 'answer by an attack of docs/attacks.md, on development chains only').choices([
        ...ATTACK_NAMES,
        ...TRAINING_ATTACK_NAMES,
      ]),
    )
    .option(
      '--cheat-from <folder>',
      'the data folder of the miner whose updates --cheat copy or noisy-copy takes (default: what was merged in the last round)',
    )
    .option('--dataset <name or path>', "what a training subnet's miner trains on (default: the spec's)")
    .option('--graphs <path>', "the step graphs that it trains with (default: those beside the model's folder)")
    .option('--update-store <file>', 'settings of an S3 bucket that updates are put into too; docs/finetune.md')
    .option('--json', 'print where the miner serves as one JSON line')
    .action((options: Options) => start(context, options))
}

async function start(context: CommandContext, options: Options): Promise<void> {
  const { signal, stdout, stderr, cwd } = context
  const log = createLogger({ name: 'miner', level: options.logLevel, destination: stderr })
  const specifier = specifierOf(options.spec, cwd)
  const spec = await loadSpec(specifier)
  const hotkey = await openHotkeySigner({ context, options, clock: systemClock, log })
  const settings = settingsOf({ options, specifier, spec, cwd, hotkey: hotkey.address })
  mustSuit({ spec, backend: settings.backend })
  const lists = openLists({ ...options, cwd, clock: systemClock, log })
  await readModelFolder({ folder: settings.model }) // a wrong path or a damaged file is told before anything is opened
  if (settings.port !== null) await mustBeFree({ ip: settings.ip, port: settings.port })
  const chain = await connectChain({
    url: options.network,
    signal,
    clock: systemClock,
    log,
    needs: ['metagraph', 'serve', ...(spec.training === undefined ? [] : (['commitments'] as const))],
  })
  try {
    if (settings.cheat !== null) await mustAllowCheats(chain)
    const onReady = ({ url, uid }: { readonly url: string | null; readonly uid: number }): void => {
      const ready = { event: 'miner.ready', url, uid, hotkey: hotkey.address }
      stdout.write(
        options.json
          ? `${JSON.stringify(ready)}\n`
          : `Serving ${spec.name} ${url === null ? 'to validators that it dials' : `at ${url}`} as uid ${uid}, hotkey ${hotkey.address}\n`,
      )
    }
    await runMiner({ settings, lists, spec, chain, hotkey, clock: systemClock, randomBytes, log, signal, onReady })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await chain.close()
  }
}

const settingsOf = (of: {
  readonly options: Options
  readonly specifier: string
  readonly spec: SubnetSpec
  readonly cwd: string
  readonly hotkey: MinerSettings['identity']['hotkey']
}): MinerSettings => {
  const { options, specifier, spec, cwd, hotkey } = of
  const port = options.port ?? (options.dial === undefined ? DEFAULT_PORT : null)
  const externalIp = options.externalIp ?? null
  if (/^(0\.0\.0\.0|::)$/.test(externalIp ?? (port === null ? '' : options.ip))) {
    throw new SubnetError({
      code: 'MINER_EXTERNAL_IP',
      message: `Validators cannot reach ${externalIp ?? options.ip}; say with --external-ip where they can`,
    })
  }
  if (options.bittensor) mustServeBittensor({ spec, port, requireSeal: options.requireSeal })
  mustSuitAttack({ spec, cheat: options.cheat ?? null })
  const model = findModel({ model: options.model ?? spec.model.name, cwd })
  return {
    identity: {
      netuid: options.netuid,
      hotkey,
      wallets: resolve(cwd, options.wallets),
      walletName: options.wallet,
      hotkeyName: options.hotkey,
    },
    specifier,
    model,
    data: resolve(cwd, options.data ?? join('.arbor', 'miner', hotkey)),
    ip: options.ip,
    port,
    externalIp,
    externalPort: options.externalPort ?? null,
    dial: options.dial ?? null,
    threads: options.threads,
    batch: options.batch,
    providers: options.providers,
    cacheTokens: options.cacheTokens ?? null,
    queue: options.queue,
    ratePerSecond: options.rate,
    minStake: options.minStake,
    requireSeal: options.requireSeal,
    bittensor: options.bittensor,
    cheat: options.cheat ?? null,
    backend: backendOf(options, cwd),
    training: spec.training === undefined ? null : trainingOf({ options, model, data: spec.training.data.name, cwd }),
  }
}

/** Finds what a training miner works with. */
const trainingOf = (of: {
  readonly options: Options
  readonly model: string
  readonly data: string
  readonly cwd: string
}): TrainingSettings => {
  const { options, model, data, cwd } = of
  const path = (given: string | undefined): string | null => (given === undefined ? null : resolve(cwd, given))
  return {
    dataset: findDataset({ dataset: options.dataset ?? data, cwd }),
    graphs: path(options.graphs) ?? trainingFolderOf(model),
    updateStore: path(options.updateStore),
    cheatFrom: path(options.cheatFrom),
  }
}

const address = (text: string): string => {
  if (isIP(text) === 0) throw new InvalidArgumentError('an IPv4 or IPv6 address is due, no name')
  return text
}

const providersArgument = (text: string): readonly Provider[] => {
  const providers = parseProviders(text)
  if (providers === null)
    throw new InvalidArgumentError('cpu, cuda and webgpu are known, each once, with commas between')
  return providers
}

/** Reads an amount of alpha; none is one too. */
const alpha = (text: string): Alpha => (text === '0' ? 0n : amountArgument(text)) as Alpha
