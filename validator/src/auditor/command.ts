import { join, resolve } from 'node:path'
import { allowsPrivate, PRIVATE_ADDRESSES, type PrivateAddresses } from '@arbor/chain/address'
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
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { isSs58 } from '@arbor/shared/ss58'
import { type NetUid, netUid, type Ss58 } from '@arbor/shared/units'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { Command, InvalidArgumentError, Option } from 'commander'
import { mustBeRegistered } from '../checks.ts'
import { type HealthOptions, withHealth } from '../health/options.ts'
import { type PublishOptions, withPublishing } from '../log/options.ts'
import { addressArgument } from '../relay/options.ts'
import { supervised } from '../supervised.ts'
import { runAuditor } from './run.ts'

interface Options extends NetworkOptions, SignerOptions, HealthOptions, PublishOptions {
  readonly netuid: NetUid
  readonly mechanism: number
  readonly spec: string
  readonly data?: string
  readonly sources: readonly Ss58[]
  readonly acceptLost: readonly Ss58[]
  readonly staleBlocks?: number
  readonly privateAddresses: PrivateAddresses
  readonly logLevel: LogLevel
}

/** Makes `arbor auditor`: a validator that asks nobody, and sets weights by others' receipts. */
export function auditorCommand(context: CommandContext): Command {
  const command = new Command('auditor').description("set weights by other validators' receipts, without asking miners")
  const flags = withPublishing(withHealth(withNetwork(withSigner(withWallet(withLogLevel(command), context)))))
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--mechanism <n>', 'mechanism whose weights are set', integerArgument(0, 15), 0)
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--data <folder>', 'where the ledger lies (default: .arbor/auditor/<hotkey>)')
    .option(
      '--sources <ss58...>',
      'validators whose logs are followed (default: all with a permit)',
      sourceArgument,
      [],
    )
    .option(
      '--accept-lost <ss58...>',
      'sources that are followed although they say that they lost an earlier log',
      sourceArgument,
      [],
    )
    .option('--external-ip <address>', 'with --serve: the address that the chain is told', addressArgument)
    .addOption(
      new Option('--private-addresses <rule>', 'ask logs at addresses that are not of the public internet')
        .choices(PRIVATE_ADDRESSES)
        .default('auto', 'auto: when the chain itself is at such an address, and is no public one'),
    )
  return withConfig(flags, context).action((options: Options) => start(context, options))
}

async function start(context: CommandContext, options: Options): Promise<void> {
  const { signal, stderr, cwd } = context
  const log = createLogger({ name: 'auditor', level: options.logLevel, destination: stderr })
  const spec = await loadSpec(specifierOf(options.spec, cwd))
  const wallets = resolve(cwd, options.wallets)
  const hotkey = await openHotkeySigner({ context, options, clock: systemClock, log })
  const { netuid } = options
  const { address } = hotkey
  const data = resolve(cwd, options.data ?? join('.arbor', 'auditor', address))
  const about = { role: 'auditor', netuid, hotkey: address }
  await supervised({ options, data, about, clock: systemClock, log, signal }, async (supervision) => {
    const chain = await connectChain({
      url: options.network,
      signal,
      clock: systemClock,
      log,
      needs: ['metagraph', 'hyperparameters', 'weights'],
      onUpgrade: supervision.onUpgrade,
    })
    try {
      await mustBeRegistered(chain, { ...options, wallets, netuid, address })
      const privateAllowed = allowsPrivate(options.privateAddresses, chain)
      const clock = systemClock
      await runAuditor({ chain, hotkey, netuid, spec, data, log, signal, options, supervision, privateAllowed, clock })
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await chain.close()
    }
  })
}

const sourceArgument = (text: string, known: readonly Ss58[]): readonly Ss58[] => {
  if (!isSs58(text)) throw new InvalidArgumentError(`"${text}" is no address`)
  return [...known, text as Ss58]
}
