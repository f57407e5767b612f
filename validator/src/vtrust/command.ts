import { join, resolve } from 'node:path'
import { connectChain } from '@arbor/chain/client/connect'
import { type NetworkOptions, netuidArgument, withJson, withNetwork } from '@arbor/chain/options'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { isSs58 } from '@arbor/shared/ss58'
import { type NetUid, netUid, type Ss58 } from '@arbor/shared/units'
import { Command, InvalidArgumentError } from 'commander'
import { explain } from './explain.ts'
import { readTrust } from './read.ts'
import { readReasons } from './reasons.ts'
import { linesOf, vtrustSchema } from './report.ts'

interface Options extends NetworkOptions {
  readonly netuid: NetUid
  readonly hotkey?: Ss58
  readonly data?: string
}

/** Makes `arbor validator explain-vtrust`: which miners make the difference between a validator's row and consensus. */
export function explainVtrustCommand(context: CommandContext): Command {
  return withJson(withNetwork(new Command('explain-vtrust')))
    .description("tell which miners make the difference between a validator's weights and consensus")
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--hotkey <SS58>', 'the validator (default: the one whose data folder is named)', hotkeyArgument)
    .option('--data <folder>', "a validator's data folder: tells what its verdicts said of each miner")
    .action((options: Options, command: Command) => run(context, { ...command.parent?.opts(), ...options }))
}

const hotkeyArgument = (text: string): Ss58 => {
  if (!isSs58(text)) throw new InvalidArgumentError('that is no SS58 address')
  return text as Ss58
}

async function run({ cwd, stdout, stderr, signal }: CommandContext, options: Options): Promise<void> {
  const { netuid } = options
  const reasons = options.data === undefined ? null : readReasons(join(resolve(cwd, options.data), 'ledger.sqlite'))
  if (reasons !== null && reasons.netuid !== netuid) throw otherSubnet(reasons.netuid, netuid)
  const hotkey = options.hotkey ?? reasons?.hotkey ?? null
  const log = createLogger({ name: 'explain-vtrust', level: 'warn', destination: stderr })
  const needs = ['metagraph', 'hyperparameters', 'weights'] as const
  const chain = await connectChain({ url: options.network, signal, clock: systemClock, log, needs })
  try {
    const read = await readTrust(chain, netuid)
    const report = explain({ netuid, read, hotkey, reasons: reasons?.hotkey === hotkey ? reasons : null })
    if (hotkey !== null && report.explained === null) throw unknown(hotkey, netuid)
    if (options.json === true) stdout.write(`${JSON.stringify(vtrustSchema.parse(report))}\n`)
    else for (const line of linesOf(report)) stdout.write(`${line}\n`)
  } finally {
    await chain.close()
  }
}

const unknown = (hotkey: Ss58, netuid: NetUid): SubnetError =>
  new SubnetError({
    code: 'VTRUST_UNKNOWN',
    message: `the hotkey ${hotkey} had no uid in subnet ${netuid} at that epoch; name a validator of it, as arbor metagraph lists them`,
  })

const otherSubnet = (found: number, netuid: NetUid): SubnetError =>
  new SubnetError({
    code: 'VTRUST_LEDGER',
    message: `the ledger is of subnet ${found}, not ${netuid}; name another folder with --data, or that subnet with --netuid`,
  })
