import { join, resolve } from 'node:path'
import { PRIVATE_ADDRESSES } from '@arbor/chain/address'
import { connectChain } from '@arbor/chain/client/connect'
import { withConfig } from '@arbor/chain/config-file'
import {
  integerArgument,
  type NetworkOptions,
  netuidArgument,
  withLogLevel,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { openHotkeySigner, type SignerOptions, withSigner } from '@arbor/chain/signer/flags'
import { findModel } from '@arbor/engine/find-model'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { type NetUid, netUid } from '@arbor/shared/units'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { Command, Option } from 'commander'
import { mustBeRegistered, mustHoldModel } from './checks.ts'
import { economicsCommand } from './economics/command.ts'
import { healthCommand } from './health/command.ts'
import { type HealthOptions, withHealth } from './health/options.ts'
import { withPublishing } from './log/options.ts'
import { type ValidateOptions, validate } from './open.ts'
import { KEPT_RECEIPTS } from './receipts.ts'
import { addressArgument, hostArgument, listenArgument } from './relay/options.ts'
import { checkCommand } from './state/check-command.ts'
import { backupCommand, restoreCommand } from './state/copies.ts'
import { supervised } from './supervised.ts'
import { explainVtrustCommand } from './vtrust/command.ts'
import { statusCommand } from './weights/status-command.ts'
import type { ScoreWorkerData } from './worker.ts'

interface Options extends NetworkOptions, SignerOptions, ValidateOptions, HealthOptions {
  readonly netuid: NetUid
  readonly spec: string
  readonly model?: string
  readonly data?: string
  readonly logLevel: LogLevel
}

/** Makes `arbor validator`: queries, verifies, scores, and sets weights, until the signal. */
export function validatorCommand(context: CommandContext): Command {
  const command = withPublishing(
    withHealth(withNetwork(withSigner(withWallet(withLogLevel(new Command('validator')), context)))),
  )
    .description('query, verify and score miners, and set weights that read back as set')
    .enablePositionalOptions() // else this command would take the --data of `health`
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--model <name or path>', "the spec's model (default: the one of its name)")
    .option('--data <folder>', 'where the ledger lies (default: .arbor/validator/<hotkey>)')
    .option('--dataset <name or path>', "what a training subnet's updates are measured on (default: the spec's)")
    .option('--graphs <path>', "the step graphs of a training subnet (default: those beside the model's folder)")
    .option('--mechanism <n>', 'the mechanism of the subnet whose weights are set', integerArgument(0, 15), 0)
    .option('--threads <n>', 'worker threads that score', integerArgument(1, 64), 1)
    .option(
      '--receipts <n>',
      'judged answers that are kept as files; 0 for none',
      integerArgument(0, 1_000_000),
      KEPT_RECEIPTS,
    )
    .option('--fanout <n>', 'questions in flight at once', integerArgument(1, 4_096), 64)
    .option(
      '--stale-blocks <n>',
      'decide nothing by a metagraph that is so many blocks old (default: two minutes of blocks, 10 at least)',
      integerArgument(1, 100_000),
    )
    .option('--no-seal', 'send questions and take answers unencrypted')
    .option('--sign-requests', 'prove each question by a signature instead of a MAC, which convinces third parties too')
    .addOption(
      new Option('--private-addresses <rule>', 'dial miners at addresses that are not of the public internet')
        .choices(PRIVATE_ADDRESSES)
        .default('auto', 'auto: when the chain itself is at such an address, and is no public one'),
    )
    .option('--bittensor', "ask miners that announce a version of Bittensor's on its wire")
    .option(
      '--listen <[ip:]port>',
      'let miners without an open port dial in there (default: listen nowhere)',
      listenArgument,
    )
    .option(
      '--external-ip <address>',
      'with --listen or --serve: the address that the chain announces',
      addressArgument,
    )
    .option('--name <host:port...>', 'with --listen: further names under which miners dial in', hostArgument, [])
    .option('--no-announce', 'with --listen: tell the chain nothing; miners are told the address by --dial')
  return withConfig(command, context)
    .action((options: Options) => start(context, options))
    .addCommand(healthCommand(context))
    .addCommand(economicsCommand(context))
    .addCommand(statusCommand(context))
    .addCommand(explainVtrustCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(backupCommand(context))
    .addCommand(restoreCommand(context))
}

async function start(context: CommandContext, options: Options): Promise<void> {
  const { signal, stderr, cwd } = context
  const log = createLogger({ name: 'validator', level: options.logLevel, destination: stderr })
  const specifier = specifierOf(options.spec, cwd)
  const spec = await loadSpec(specifier)
  const wallets = resolve(cwd, options.wallets)
  const hotkey = await openHotkeySigner({ context, options, clock: systemClock, log })
  const { netuid } = options
  const { address } = hotkey
  const modelFolder = findModel({ model: options.model ?? spec.model.name, cwd })
  await mustHoldModel(modelFolder, spec)
  const data = resolve(cwd, options.data ?? join('.arbor', 'validator', address))
  const about = { role: 'validator', netuid, hotkey: address }
  await supervised({ options, data, about, clock: systemClock, log, signal }, async (supervision) => {
    const chain = await connectChain({
      url: options.network,
      signal,
      clock: systemClock,
      log,
      needs: [
        ...(['metagraph', 'hyperparameters', 'weights'] as const),
        ...(options.listen === undefined ? [] : (['serve'] as const)),
        ...(options.mechanism === 0 ? [] : (['mechanisms'] as const)),
        ...(options.anchor || spec.training !== undefined ? (['commitments'] as const) : []),
      ],
      onUpgrade: supervision.onUpgrade,
    })
    try {
      await mustBeRegistered(chain, { ...options, wallets, netuid, address })
      const worker: ScoreWorkerData = { spec: specifier, modelFolder }
      await validate({ chain, hotkey, netuid, spec, data, cwd, worker, log, signal, options, supervision })
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await chain.close()
    }
  })
}
