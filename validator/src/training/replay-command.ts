import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allowsPrivate, PRIVATE_ADDRESSES, type PrivateAddresses } from '@arbor/chain/address'
import { connectChain } from '@arbor/chain/client/connect'
import { integerArgument, type NetworkOptions, netuidArgument, withJson, withNetwork } from '@arbor/chain/options'
import { findModel } from '@arbor/engine/find-model'
import { readInitial, readTrainingFolder, trainingFolderOf } from '@arbor/engine/train/folder'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { isSs58 } from '@arbor/shared/ss58'
import { type NetUid, netUid, type Ss58 } from '@arbor/shared/units'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { httpSource } from '@arbor/training/sources/http'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { openLogHttp } from '../auditor/http.ts'
import { openServedLog, type ServedLog } from '../auditor/served-log.ts'
import { readAnchored } from '../log/anchor.ts'
import type { CheckpointEntry } from '../log/entry.ts'
import { readEntry } from '../log/read-entry.ts'
import { type ReplayedHistory, replayHistory } from './replay-history.ts'

interface Options extends NetworkOptions {
  readonly netuid: NetUid
  readonly validator: string
  readonly spec: string
  readonly model?: string
  readonly from?: number
  readonly to?: number
  readonly privateAddresses: PrivateAddresses
  readonly json?: boolean
}

/** What `arbor finetune replay --json` prints. */
export const replaySchema = z.strictObject({
  equal: z.boolean(),
  begun: z.strictObject({ round: z.int(), checkpoint: z.string() }),
  rounds: z.array(z.strictObject({ round: z.int(), merged: z.int(), logged: z.string(), found: z.string() })),
})

/** Makes `arbor finetune replay`: merges a run again, and compares every checkpoint with the one that a validator's log names. */
export function trainingReplayCommand(context: CommandContext): Command {
  return withJson(withNetwork(new Command('replay')))
    .description("merge a training subnet's rounds again, and compare each checkpoint with a validator's log")
    .requiredOption(
      '--validator <ss58 or url>',
      'whose log: its hotkey, by which the chain tells where it is, or the place itself',
    )
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--spec <name or path>', 'the subnet spec', 'finetune')
    .option('--model <name or path>', "the spec's model (default: the one of its name)")
    .option('--from <round>', 'first round (default: the first that the log has)', integerArgument(0, 2 ** 32))
    .option('--to <round>', 'last round (default: the newest that the log has)', integerArgument(0, 2 ** 32))
    .addOption(
      new Option('--private-addresses <rule>', 'ask at addresses that are not of the public internet')
        .choices(PRIVATE_ADDRESSES)
        .default('auto', 'auto: when the chain itself is at such an address, and is no public one'),
    )
    .action((options: Options) => replay(context, options))
}

async function replay(context: CommandContext, options: Options): Promise<void> {
  const { cwd, signal, stdout } = context
  const log = createLogger({ name: 'replay', level: 'warn', destination: context.stderr })
  const spec = await loadSpec(specifierOf(options.spec, cwd))
  const { training } = spec
  if (training === undefined) throw noTraining(spec.name)
  const model = findModel({ model: options.model ?? spec.model.name, cwd })
  const folder = await readTrainingFolder({ folder: trainingFolderOf(model), model })
  const chain = await connectChain({ url: options.network, signal, clock: systemClock, log, needs: [] })
  const partials = mkdtempSync(join(tmpdir(), 'arbor-replay-'))
  try {
    const privateAllowed = allowsPrivate(options.privateAddresses, chain)
    const url = await placeOf(options, (hotkey) => readAnchored({ chain, netuid: options.netuid, hotkey }))
    const http = openLogHttp({ url, privateAllowed, clock: systemClock })
    const entries = await checkpointsOf(openServedLog(http), signal).finally(() => http.close())
    const found = await replayHistory(
      {
        entries,
        from: options.from ?? entries[0]?.round ?? 0,
        to: options.to ?? entries.at(-1)?.round ?? 0,
        netuid: options.netuid,
        spec: { name: spec.name, version: spec.version },
        limits: training.limits,
        optimiser: optimiserOf({ terms: training.optimiser, layout: folder.layout }),
        initial: await readInitial(folder),
        files: httpSource({ url: `${url.replace(/\/+$/, '')}/blobs/`, privateAllowed, clock: systemClock, partials }),
      },
      signal,
    )
    for (const line of options.json === true ? [JSON.stringify(replaySchema.parse(found))] : linesOf(found))
      stdout.write(`${line}\n`)
    const wrong = found.rounds.find(({ logged, found: again }) => logged !== again)
    if (wrong !== undefined) throw differs(wrong)
  } finally {
    rmSync(partials, { recursive: true, force: true })
    await chain.close()
  }
}

/** Finds where a log is served. */
async function placeOf(
  { validator, netuid }: Options,
  anchored: (hotkey: Ss58) => Promise<{ readonly url: string } | null>,
): Promise<string> {
  if (URL.canParse(validator)) return validator
  const found = isSs58(validator) ? await anchored(validator as Ss58) : null
  if (found !== null && found.url !== '') return found.url
  throw new SubnetError({
    code: 'TRAINING_REPLAY',
    message: `The history cannot be replayed: the chain says of no place where the log of ${validator} in subnet ${netuid} is served; name it as --validator http://…`,
  })
}

/** Reads a log's entries on checkpoints, oldest first. */
async function checkpointsOf(log: ServedLog, signal: AbortSignal): Promise<readonly CheckpointEntry[]> {
  const { size } = await log.head(signal)
  const found: CheckpointEntry[] = []
  for (let from = 0; from < size; ) {
    const page = await log.page({ from }, signal)
    if (page.from !== from || page.entries.length === 0) break
    for (const text of page.entries) {
      const entry = text === null ? null : readEntry(text)
      if (entry?.kind === 'checkpoint') found.push(entry)
    }
    from += page.entries.length
  }
  return found
}

const linesOf = ({ begun, rounds, equal }: ReplayedHistory): readonly string[] => [
  `began with checkpoint ${begun.checkpoint} of round ${begun.round}`,
  ...rounds.map(
    ({ round, merged, logged, found }) =>
      `round ${round}: ${merged} updates → ${found}${logged === found ? '' : `, and the log says ${logged}`}`,
  ),
  equal ? `${rounds.length} rounds, all as the log says` : 'the log says otherwise',
]

const differs = ({ round, logged, found }: ReplayedHistory['rounds'][number]): SubnetError =>
  new SubnetError({
    code: 'TRAINING_REPLAY_DIFFERS',
    message: `round ${round} leads to checkpoint ${found}, and the log names ${logged}: it is not the merge of what it names; show it to others, and audit the validator (arbor audit)`,
    details: { round, logged, found },
  })

const noTraining = (name: string): SubnetError =>
  new SubnetError({
    code: 'TRAINING_REPLAY',
    message: `The history cannot be replayed: the subnet ${name} trains no model; name a training spec with --spec`,
  })
