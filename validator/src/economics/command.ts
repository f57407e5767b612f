import { join, resolve } from 'node:path'
import { connectChain } from '@arbor/chain/client/connect'
import type { ChainClient, Metagraph } from '@arbor/chain/client/types'
import { integerArgument, type NetworkOptions, netuidArgument, withJson, withNetwork } from '@arbor/chain/options'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { type NetUid, netUid, type Rao } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import { Command, InvalidArgumentError } from 'commander'
import { stakesOf } from '../audit-plan.ts'
import { outlookOf } from './outlook.ts'
import { type EpochCost, readEpochCost } from './read.ts'
import { type Economics, economicsSchema, linesOf } from './report.ts'

interface Options extends NetworkOptions {
  readonly netuid: NetUid
  readonly spec: string
  readonly data?: string
  readonly answers?: number
  readonly chunks: number
}

/** Makes `arbor validator economics`: what audits cost here, and what each cheat may expect. */
export function economicsCommand(context: CommandContext): Command {
  return withJson(withNetwork(new Command('economics')))
    .description(
      "tell what audits cost, how surely cheats are found, and what each may expect at this subnet's burn and emission",
    )
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--data <folder>', "a validator's data folder: tells what its last audited epoch cost")
    .option(
      '--answers <n>',
      "users' answers of one miner in a round (default: those of the data folder, else 100)",
      integerArgument(1, 1_000_000),
    )
    .option('--chunks <n>', 'chunks of 32 tokens in an answer', chunksArgument, 4)
    .action((options: Options, command: Command) => economics(context, { ...command.parent?.opts(), ...options }))
}

const chunksArgument = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1_024) throw new InvalidArgumentError('use a number in 1..1024')
  return value
}

async function economics(context: CommandContext, options: Options): Promise<void> {
  const { cwd, stdout, stderr, signal } = context
  const spec = await loadSpec(specifierOf(options.spec, cwd))
  const log = createLogger({ name: 'economics', level: 'warn', destination: stderr })
  const chain = await connectChain({ url: options.network, signal, clock: systemClock, log, needs: ['metagraph'] })
  try {
    const read = await readChain(chain, options.netuid)
    const report = reportOf({ spec, options, cwd, ...read })
    if (options.json === true) stdout.write(`${JSON.stringify(economicsSchema.parse(report))}\n`)
    else
      stdout.write(
        linesOf(report)
          .map((line) => `${line}\n`)
          .join(''),
      )
  } finally {
    await chain.close()
  }
}

const readChain = async (
  chain: ChainClient,
  netuid: NetUid,
): Promise<{ readonly metagraph: Metagraph; readonly burn: Rao }> => {
  const metagraph = await chain.metagraph(netuid)
  return { metagraph, burn: await chain.registrationCost(netuid, metagraph.block.hash) }
}

/** Puts together what chain, spec and ledger say. */
export function reportOf(of: {
  readonly spec: SubnetSpec
  readonly options: Pick<Options, 'data' | 'answers' | 'chunks' | 'netuid'>
  readonly cwd: string
  readonly metagraph: Metagraph
  readonly burn: Rao
}): Economics {
  const { spec, options, metagraph, burn } = of
  const terms = spec.audit
  if (terms === undefined)
    throw new SubnetError({
      code: 'ECONOMICS_NO_TERMS',
      message: `The spec ${spec.name} has no audit terms, so no verdict costs more than its round; add \`audit\` to it`,
    })
  const rounds = spec.roundsPerEpoch
  const length = roundBlocks({ tempo: metagraph.tempo, roundsPerEpoch: rounds })
  const file = options.data === undefined ? null : join(resolve(of.cwd, options.data), 'ledger.sqlite')
  const epoch = file === null ? null : readEpochCost({ file, roundBlocks: length, rounds })
  const paid = metagraph.neurons.filter(({ incentive, emission }) => incentive > 0 && emission > 0n)
  const total = paid.reduce((sum, { emission }) => sum + emission, 0n)
  const emission = paid.length === 0 ? 0n : total / BigInt(paid.length)
  const stakes = stakesOf({ spec, emission, burn })
  const answers = options.answers ?? answersIn(epoch, rounds) ?? 100
  const outlook = outlookOf({ terms, stakes, answers, chunks: options.chunks, rounds })
  return {
    netuid: options.netuid,
    block: metagraph.block.number,
    spec: spec.name,
    burnRao: String(burn),
    minersPaid: paid.length,
    emissionPerRoundRao: stakes.emissionPerRound,
    forfeitRounds: stakes.forfeitRounds,
    idleRounds: stakes.idleRounds,
    lossRao: outlook.loss,
    wanted: terms.detection,
    outlook: { ...outlook, cheats: [...outlook.cheats] },
    epoch: epoch === null ? null : { ...epoch, miners: [...epoch.miners] },
  }
}

const answersIn = (epoch: EpochCost | null, rounds: number): number | null =>
  epoch === null || epoch.miners.length === 0 || epoch.answers === 0
    ? null
    : Math.max(1, Math.round(epoch.answers / epoch.miners.length / rounds))
