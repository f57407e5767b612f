import { dirname, resolve } from 'node:path'
import {
  netuidArgument,
  withJson,
  withLogLevel,
  withNetwork,
  withPasswordFile,
  withWallets,
} from '@arbor/chain/options'
import type { ChainCode } from '@arbor/chain/signer/chain-code'
import { type Counts, createCounts } from '@arbor/chain/signer/counts'
import { createDesk } from '@arbor/chain/signer/desk'
import { createJudge } from '@arbor/chain/signer/judge'
import { mustFit, openFolder, openToken, takePlace, tokenPathOf } from '@arbor/chain/signer/place'
import { type Policy, ROLES, spendOf } from '@arbor/chain/signer/policy'
import { listenSigner } from '@arbor/chain/signer/server'
import { noSpending, openSpendBook, type SpendBook } from '@arbor/chain/signer/spend'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { createLogger, type Logger } from '@arbor/shared/log'
import { supervise } from '@arbor/shared/supervise'
import type { NetUid } from '@arbor/shared/units'
import { Command, Option } from 'commander'
import {
  DEFAULT_SOCKET,
  hashArgument,
  openCode,
  openKeys,
  policyOf,
  type SignerCommandOptions,
} from './signer-options.ts'
import { statusCommand } from './signer-status.ts'

/** Makes `arbor signer`: holds hotkeys for other processes and signs what a policy allows, until the signal. */
export function signerCommand(context: CommandContext): Command {
  return withNetwork(withPasswordFile(withWallets(withLogLevel(withJson(new Command('signer'))), context)))
    .description('hold hotkeys in a process of its own, and sign what a policy allows')
    .enablePositionalOptions() // else this command would take the --socket of `status`
    .option('--wallet <name>', 'the wallet', 'default')
    .option('--hotkey <name>', 'a hotkey of it, any number of times (default: default)', collect, [])
    .option('--socket <path>', 'where to listen, in a folder that is this user’s alone', DEFAULT_SOCKET)
    .option('--token-file <file>', "what clients must show, made when absent (default: the socket's path and .token)")
    .addOption(
      new Option('--for <role>', 'the policy of a role: what its command asks for, and nothing that spends').choices(
        ROLES,
      ),
    )
    .option('--policy <file>', 'a policy of your own, as JSON')
    .option('--netuid <n>', 'with --for: a subnet, any number of times (default: 1)', collectNetuid, [])
    .option('--bittensor', "with --for: sign requests on Bittensor's wire too", false)
    .option('--metadata <file>', "read calls by this file, not by the chain's present code")
    .option('--genesis <hash>', 'the chain that it signs for (default: the one at --network)', hashArgument)
    .action((options: SignerCommandOptions) => start(context, options))
    .addCommand(statusCommand(context))
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text]
const collectNetuid = (text: string, before: readonly NetUid[]): readonly NetUid[] => [...before, netuidArgument(text)]

async function start(context: CommandContext, options: SignerCommandOptions): Promise<void> {
  const { signal, stderr, cwd } = context
  const log = createLogger({ name: 'signer', level: options.logLevel, destination: stderr })
  const policy = policyOf(options, cwd)
  const socket = resolve(cwd, options.socket)
  mustFit(socket)
  openFolder(dirname(socket))
  await using stop = new AsyncDisposableStack()
  try {
    stop.use(await takePlace(socket))
    const token = openToken(resolve(cwd, options.tokenFile ?? tokenPathOf(socket)))
    const keys = await openKeys(context, options)
    const code = await openCode({ options, cwd, log }, signal)
    stop.defer(() => code.close())
    const spending = openSpending(policy, socket)
    stop.defer(() => spending.close())
    await serve(context, { policy, socket, token, keys, code, spending, log, options }, stop)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

const openSpending = (policy: Policy, socket: string): SpendBook => {
  const spend = spendOf(policy)
  if (spend === null) return noSpending
  return openSpendBook({
    file: `${socket}.spent.sqlite`,
    limit: spend.rao,
    windowMs: spend.windowMs,
    clock: systemClock,
  })
}

interface Held {
  readonly policy: Policy
  readonly socket: string
  readonly token: Uint8Array
  readonly keys: readonly Keypair[]
  readonly code: ChainCode
  readonly spending: SpendBook
  readonly log: Logger
  readonly options: SignerCommandOptions
}

/** Listens and signs until the signal. */
const serve = async ({ signal, stdout }: CommandContext, held: Held, stop: AsyncDisposableStack): Promise<void> => {
  const { policy, socket, token, keys, code, spending, log, options } = held
  const counts = createCounts()
  const judge = createJudge({ policy, code, spending, clock: systemClock })
  const desk = createDesk({ keys, judge, counts, status: () => statusOf(held, counts), log })
  const server = await listenSigner({ desk, token, counts, clock: systemClock, log, signal }, socket)
  stop.defer(() => server.close())
  const hotkeys = keys.map(({ address }) => address)
  const ready = { event: 'signer.ready', socket, hotkeys, netuids: policy.netuids }
  log.info({ ...ready, specVersion: code.specVersion() }, 'signer listens')
  stdout.write(options.json ? `${JSON.stringify(ready)}\n` : `Signing for ${hotkeys.join(', ')} at ${socket}\n`)
  const wait = (until: AbortSignal): Promise<void> =>
    new Promise((done) => until.addEventListener('abort', () => done(), { once: true }))
  await supervise({ loops: { signer: wait }, signal, clock: systemClock })
  log.info({ event: 'signer.stopped', ...counts }, 'signer stops')
}

const statusOf = ({ policy, keys, code, spending, socket }: Held, counts: Counts): object => {
  const spend = spendOf(policy)
  return {
    socket,
    genesis: toHex(code.genesisHash),
    specVersion: code.specVersion(),
    policy,
    hotkeys: keys.map(({ address }) => ({
      address,
      ...(spend === null ? {} : { spentRao: spending.spent(address).toString() }),
    })),
    ...counts,
  }
}
