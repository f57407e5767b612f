import type { CommandContext } from '@arbor/shared/command'
import { LOG_LEVELS, type LogLevel } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { BeaconOptions } from './beacon/command.ts'
import type { CompatOptions } from './compat.ts'
import { type ExportOptions, exportChain, type ImportOptions, importChain } from './move.ts'
import { integerArgument, urlOption } from './options.ts'
import { type ReorgOptions, reorgChain } from './reorg.ts'
import { type RunOptions, runChain } from './run.ts'
import { type StatusOptions, showStatus } from './status.ts'

/** Makes `arbor chain`: all that concerns a chain as a process and as a folder. */
export const chainCommand = (context: CommandContext): Command =>
  new Command('chain')
    .description('run a chain, look at it, move it, make it reorganise')
    .addCommand(runSubcommand(context))
    .addCommand(statusSubcommand(context))
    .addCommand(reorgSubcommand(context))
    .addCommand(exportSubcommand(context))
    .addCommand(importSubcommand(context))
    .addCommand(compatSubcommand(context))
    .addCommand(beaconSubcommand(context))

const runSubcommand = (context: CommandContext): Command =>
  new Command('run')
    .description('run the chain in this process until it is told to stop')
    .addOption(new Option('--dev', 'the preset "development" (default)').conflicts('preset'))
    .option('--preset <name>', 'a genesis preset of the runtime')
    .option('--patch <file>', 'JSON merge patch of the genesis')
    .option('--runtime <file>', 'runtime blob (default: the one that comes with Arbor)')
    .option('--data <folder>', 'where blocks and state are kept (default: in memory only)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port for WebSocket and HTTP, 0 takes a free one', integerArgument(0, 65_535), 9944)
    .option('--allow-origin <origin...>', 'web pages that may connect besides local ones; * for all', [])
    .addOption(
      new Option('--block-time <time>', 'time between blocks, as 250ms or 12s; part of the genesis')
        .argParser(duration)
        .default(1_000 as Ms, '1s')
        .conflicts(['instant', 'manual']),
    )
    .addOption(new Option('--instant', 'a block whenever an extrinsic is ready').conflicts('manual'))
    .option('--beacon', 'sign the rounds of the development beacon as well, which open timelocked weights')
    .option('--manual', 'a block only on engine_createBlock')
    .option(
      '--finality-lag <blocks>',
      'blocks that finality stays behind the best block',
      integerArgument(0, 10_000),
      0,
    )
    .option('--keep <blocks>', 'newest blocks kept with their state: 256 or more, or "archive" for all', keep, 256)
    .addOption(new Option('--log-level <level>', 'how much to say').choices(LOG_LEVELS).default('info' as LogLevel))
    .option('--json', 'log JSON, one event a line')
    .action((options: RunOptions) => runChain(context, options))

const withUrl = (command: Command): Command => command.addOption(urlOption())

const statusSubcommand = (context: CommandContext): Command =>
  withUrl(new Command('status'))
    .description('print where a chain stands: a running one, or with --data one that does not run')
    .option('--data <folder>', 'look into the folder of a chain that does not run')
    .option('--verify', 'with --data: read and hash the whole state and all kept blocks')
    .option('--json', 'print JSON')
    .action((options: StatusOptions) => showStatus(context, options))

const reorgSubcommand = (context: CommandContext): Command =>
  withUrl(new Command('reorg'))
    .description('take the newest blocks off a running chain and put a longer fork in their place')
    .addOption(
      new Option('--depth <blocks>', 'blocks to take off; none of them may be final')
        .argParser(integerArgument(1, 128))
        .makeOptionMandatory(),
    )
    .option('--json', 'print JSON')
    .action((options: ReorgOptions) => reorgChain(context, options))

const exportSubcommand = (context: CommandContext): Command =>
  new Command('export')
    .description('write a chain that does not run to one file')
    .requiredOption('--data <folder>', 'where the chain lies')
    .requiredOption('--out <file>', 'the file to write')
    .option('--json', 'print JSON')
    .action((options: ExportOptions) => exportChain(context, options))

const importSubcommand = (context: CommandContext): Command =>
  new Command('import')
    .description('make the folder of a chain from an exported file, after verifying all of it')
    .requiredOption('--data <folder>', 'where the chain shall lie')
    .requiredOption('--in <file>', 'the exported file')
    .option('--json', 'print JSON')
    .action((options: ImportOptions) => importChain(context, options))

/** Clients read states of up to 256 blocks ago. */
const LEAST_KEPT = 256

function keep(text: string): number | 'archive' {
  return text === 'archive' ? 'archive' : integerArgument(LEAST_KEPT, 100_000_000)(text)
}

const compatSubcommand = (context: CommandContext): Command =>
  new Command('compat')
    .description('say what of Arbor works with a chain, by its metadata; exit code 1 when a miner or validator cannot')
    .option('--metadata <file>', 'metadata V14, V15 or V16 as SCALE bytes or hex, instead of a running chain')
    .addOption(urlOption())
    .option('--all', 'list also what is as Arbor knows it')
    .option('--json', 'print JSON')
    .action(async (options: CompatOptions) => (await import('./compat.ts')).showCompat(context, options))

const beaconSubcommand = (context: CommandContext): Command =>
  new Command('beacon')
    .description('sign the rounds that open timelocked weights, as the chain’s time reaches them, until told to stop')
    .addOption(urlOption())
    .option('--dev', 'with the key of the development preset, which everybody knows')
    .option('--key <file>', 'with the secret key in this file, whose public key the chain’s genesis names')
    .option('--new-key <file>', 'write a new secret key, print the genesis patch that names it, and end')
    .option('--relay <file>', 'hand in recorded pulses (a JSON list of round and signature), and end')
    .option('--catch-up <rounds>', 'missed rounds to make up for after a pause', integerArgument(1, 100_000), 256)
    .addOption(new Option('--log-level <level>', 'how much to say').choices(LOG_LEVELS).default('info' as LogLevel))
    .option('--json', 'log JSON, one event a line')
    .action(async (options: BeaconOptions) => (await import('./beacon/command.ts')).beacon(context, options))

/** Shortest and longest time between blocks: below, a block cannot be made in time; above, nothing seems to happen. */
const BLOCK_TIME = { leastMs: 50, mostMs: 600_000 }

function duration(text: string): Ms {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? []
  const ms = Number(digits) * (unit === 's' ? 1_000 : 1)
  if (Number.isInteger(ms) && ms >= BLOCK_TIME.leastMs && ms <= BLOCK_TIME.mostMs) return ms as Ms
  throw new InvalidArgumentError(`"${text}" is not a time from 50ms to 600s, as 250ms or 12s.`)
}
