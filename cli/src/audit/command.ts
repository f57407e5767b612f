import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { allowsPrivate, PRIVATE_ADDRESSES, type PrivateAddresses } from '@arbor/chain/address'
import { connectChain } from '@arbor/chain/client/connect'
import { integerArgument, type NetworkOptions, netuidArgument, withNetwork } from '@arbor/chain/options'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { printable } from '@arbor/shared/printable'
import { isSs58 } from '@arbor/shared/ss58'
import { readHead, type SignedHead } from '@arbor/shared/tree-head'
import { type NetUid, netUid, type Ss58 } from '@arbor/shared/units'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import type { AuditDeps } from '@arbor/validator/auditor/audit'
import { type LogHttp, openLogHttp } from '@arbor/validator/auditor/http'
import { auditReport } from '@arbor/validator/auditor/report'
import { openServedLog } from '@arbor/validator/auditor/served-log'
import { linesOf } from '@arbor/validator/auditor/words'
import { Command, InvalidArgumentError, Option } from 'commander'
import { print } from '../output.ts'
import { runAudit } from './run.ts'

interface Options extends NetworkOptions {
  readonly validator: Ss58
  readonly epoch?: number
  readonly netuid: NetUid
  readonly spec: string
  readonly url?: string
  readonly compare?: Ss58
  readonly compareUrl?: string
  readonly model?: string
  readonly sample?: number
  readonly mechanism: number
  readonly earlier?: string
  readonly privateAddresses: PrivateAddresses
}

/** Makes `arbor audit`: computes a validator's row again from the receipts that it serves. */
export function auditCommand(context: CommandContext): Command {
  return withNetwork(new Command('audit'))
    .description("compute a validator's row again from its receipts, without a GPU")
    .requiredOption('--validator <ss58>', 'whose row', ss58Argument)
    .option(
      '--epoch <n>',
      'the row in force at the end of this epoch (default: the newest that ended)',
      integerArgument(0, 2 ** 40),
    )
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--mechanism <n>', 'the mechanism', integerArgument(0, 15), 0)
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--url <url>', 'where its log is served (default: as it says on the chain)')
    .option('--compare <ss58>', 'another validator whose receipts of the same rounds are laid beside', ss58Argument)
    .option('--compare-url <url>', "where that one's log is served")
    .option(
      '--sample <n>',
      'answers that the model judges again, drawn by a block that nobody chose',
      integerArgument(1, 10_000),
    )
    .option('--model <name or path>', "with --sample: the model (default: the one of the spec's name)")
    .option('--earlier <file>', 'the --json of an earlier audit: the log must go on from its head')
    .addOption(
      new Option('--private-addresses <rule>', 'ask logs at addresses that are not of the public internet')
        .choices(PRIVATE_ADDRESSES)
        .default('auto', 'auto: when the chain itself is at such an address, and is no public one'),
    )
    .option('--json', 'print one JSON document')
    .action((options: Options) => auditAction(context, options))
}

async function auditAction(context: CommandContext, options: Options): Promise<void> {
  const { signal, cwd, stderr } = context
  const spec = await loadSpec(specifierOf(options.spec, cwd))
  const earlier = options.earlier === undefined ? undefined : readEarlier(resolve(cwd, options.earlier))
  const log = createLogger({ name: 'audit', level: 'warn', destination: stderr })
  const chain = await connectChain({
    url: options.network,
    signal,
    clock: systemClock,
    log,
    needs: ['metagraph', 'hyperparameters'],
  })
  const opened: LogHttp[] = []
  try {
    const privateAllowed = allowsPrivate(options.privateAddresses, chain)
    const deps: AuditDeps = {
      chain,
      netuid: options.netuid,
      spec,
      open: (url) => {
        const http = openLogHttp({ url, privateAllowed, clock: systemClock })
        opened.push(http)
        return openServedLog(http)
      },
    }
    const report = await runAudit(deps, { ...options, earlier, cwd, clock: systemClock }, signal)
    print(context, {
      json: options.json,
      schema: auditReport,
      value: report,
      lines: linesOf(report).map(printable), // a stranger's server wrote parts of them
    })
    if (!report.equal) throw notEqual(report.verdict)
  } finally {
    await Promise.allSettled(opened.map((http) => http.close()))
    await chain.close()
  }
}

const notEqual = (verdict: string): SubnetError =>
  verdict === 'undecided'
    ? new SubnetError({
        code: 'AUDIT_UNDECIDED',
        message:
          'nothing was found wrong, and not all could be looked at; name an endpoint that keeps old state, or audit a newer epoch',
      })
    : new SubnetError({
        code: 'AUDIT_DIFFERENT',
        message: 'the row does not follow from the receipts; the report says where',
      })

function readEarlier(file: string): SignedHead {
  try {
    const json = JSON.parse(readFileSync(file, 'utf8')) as { readonly head?: unknown }
    return readHead(json.head ?? json)
  } catch (cause) {
    throw new SubnetError({
      code: 'AUDIT_EARLIER',
      message: `${file} holds no signed head of a log; give what arbor audit --json printed`,
      cause,
    })
  }
}

const ss58Argument = (text: string): Ss58 => {
  if (!isSs58(text)) throw new InvalidArgumentError(`"${text}" is no address`)
  return text as Ss58
}
