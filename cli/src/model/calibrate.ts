import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { integerArgument, withJson } from '@arbor/chain/options'
import { startContained } from '@arbor/engine/contained/start'
import { findModel, MODELS } from '@arbor/engine/find-model'
import { CARD, readJson, readModelFolder } from '@arbor/engine/folder'
import { parseProviders } from '@arbor/engine/providers'
import { shareBound } from '@arbor/engine/statistics'
import { findThresholds, MEASURED, type Thresholds, thresholdsHash } from '@arbor/engine/thresholds'
import { openTokenizer } from '@arbor/engine/tokenizer'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Provider } from '@arbor/shared/inference'
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { table } from '../table.ts'
import type { CalibrateJob } from './calibrate-worker.ts'

const sample = z.object({
  name: z.string(),
  answers: z.number(),
  tokens: z.number(),
  refused: z.number(),
  /** 95 %, by Clopper and Pearson. */
  interval: z.tuple([z.number(), z.number()]),
})

/** What `arbor model calibrate` prints with --json. */
export const calibrateSchema = z.object({
  name: z.string(),
  hash: z.string(),
  /** Of all limits that the card has now, or would have. */
  thresholdsHash: z.string(),
  written: z.boolean(),
  limits: z.array(
    z.object({
      profile: z.string(),
      provider: z.string(),
      proof: z.string(),
      residueError: z.number().nullable(),
      exponentMismatches: z.number().nullable(),
      mantissaError: z.number().nullable(),
      marginMean: z.number(),
      marginMax: z.number(),
      mismatchRate: z.number(),
      honest: sample,
      copies: z.array(sample),
      /** Share of honest answers that are refused, at most: one-sided, 95 %. */
      falseRejections: z.number(),
    }),
  ),
})

interface Options {
  readonly answers: number
  readonly providers: readonly Provider[]
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Makes `arbor model calibrate`. */
export const calibrateCommand = (context: CommandContext): Command =>
  withJson(new Command('calibrate'))
    .description('measure honest answers and cheaper copies here, and write the limits of the checks into the card')
    .argument('<model>', 'its name, or the path of its folder')
    .option(
      '--answers <n>',
      'honest answers with the default proof; half as many with each other',
      integerArgument(16, 100_000),
      ANSWERS,
    )
    .option('--providers <list>', 'execution providers of miners and validators', providers, ['cpu'])
    .option('--dry-run', 'print the limits and write nothing')
    .action((model: string, options: Options) => run(context, model, options))

/** Honest answers that limits are measured by, where nobody says how many. */
const ANSWERS = 96

/**
 * Measures a model on this machine's CPU and writes the limits of the checks into its card, as `arbor model calibrate` does.
 * @param of.quiet tells nothing of what goes on
 */
export async function calibrateModel(
  context: CommandContext,
  { folder, quiet }: { readonly folder: string; readonly quiet: boolean },
): Promise<void> {
  const { id, thresholds } = await measure(context, { folder, answers: ANSWERS, providers: ['cpu'], quiet })
  await writeThresholds(folder, { hash: id.hash, thresholds })
}

/** Measures the limits of a model, and puts them among those that its card has. */
async function measure(
  context: CommandContext,
  of: Pick<CalibrateJob, 'folder' | 'answers' | 'providers'> & { readonly quiet: boolean },
) {
  const { folder, answers, providers, quiet } = of
  const { id, card, tokenizer } = await readModelFolder({ folder })
  const { chats } = openTokenizer(tokenizer)
  const into = join(context.cwd, MODELS, '.variants')
  const found = await contained(context, { folder, answers, providers, chats, into }, quiet)
  const kept = card.thresholds.filter((each) => findThresholds(found, each) === undefined)
  return { id, found, thresholds: [...kept, ...found] }
}

async function run(context: CommandContext, model: string, options: Options): Promise<void> {
  const folder = findModel({ model, cwd: context.cwd })
  const { answers, providers, json } = options
  const { id, found, thresholds } = await measure(context, { folder, answers, providers, quiet: json === true })
  if (options.dryRun !== true) await writeThresholds(folder, { hash: id.hash, thresholds })
  print(context, {
    json: options.json,
    schema: calibrateSchema,
    value: {
      name: id.name,
      hash: id.hash,
      thresholdsHash: thresholdsHash(thresholds),
      written: options.dryRun !== true,
      limits: found.map(({ calibration: { honest, copies }, ...limits }) => ({
        ...limits,
        honest: sampleOf(honest),
        copies: copies.map(sampleOf),
        falseRejections: shareBound(honest.refused, honest.answers),
      })),
    },
    lines: [
      ...found.flatMap((limits) => ['', ...linesOf(limits)]),
      '',
      `thresholds ${thresholdsHash(thresholds)}: ${options.dryRun === true ? 'not written' : `written to ${join(folder, CARD)}; a spec that pins others refuses this card`}`,
    ],
  })
}

/** Measures in a process of its own, which a provider that aborts takes down alone. */
async function contained(context: CommandContext, job: CalibrateJob, quiet: boolean): Promise<Thresholds[]> {
  const inference = startContained<CalibrateJob, Thresholds[]>({
    worker: new URL('./calibrate-worker.ts', import.meta.url),
    workerData: null,
    threads: 1,
    maxQueue: 1,
    maxRestarts: 0,
    log: { info: () => undefined, warn: () => undefined },
    signal: context.signal,
  })
  try {
    const onProgress = (line: unknown): void => {
      if (!quiet) context.stdout.write(`${line}\n`)
    }
    return await inference.run(job, { signal: context.signal, onProgress })
  } finally {
    await inference.close()
  }
}

/** Puts the limits into the card in one step; the rest of it stays as it is. */
async function writeThresholds(
  folder: string,
  of: { readonly hash: string; readonly thresholds: readonly Thresholds[] },
): Promise<void> {
  const path = join(folder, CARD)
  const card = await readJson(folder, CARD)
  if (`0x${card.hash}` !== of.hash) {
    throw new SubnetError({
      code: 'MODEL_MISMATCH',
      message: `The model in ${folder} was replaced while it was calibrated: measured ${of.hash}, found 0x${card.hash}; calibrate it again`,
      details: { folder, found: `0x${card.hash}`, expected: of.hash },
    })
  }
  await writeFile(`${path}.new`, `${JSON.stringify({ ...card, thresholds: of.thresholds }, null, 2)}\n`)
  await rename(`${path}.new`, path)
}

const sampleOf = ({ interval: [low, high], ...rest }: Thresholds['calibration']['honest']): z.input<typeof sample> => ({
  ...rest,
  interval: [low, high],
})

const linesOf = (limits: Thresholds): string[] => {
  const { profile, provider, proof, calibration } = limits
  const { honest, worst, copies } = calibration
  const rows = MEASURED.flatMap((key) => {
    const limit = limits[key]
    return limit === null ? [] : [[key, limit.toPrecision(2), (worst[key] ?? 0).toPrecision(2)]]
  })
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  const seen = [honest, ...copies].map(({ name, answers, tokens, refused, interval: [low, high] }) => [
    name,
    `${refused} of ${answers}`,
    `${tokens}`,
    `${percent(low)} … ${percent(high)}`,
    requestsFor99(refused / answers),
  ])
  return [
    `${profile} on ${provider}, proof ${proof}`,
    ...table(['limit of', 'value', 'worst honest'], rows),
    ...table(['answers', 'refused', 'tokens', '95 % interval', 'answers for 99 %'], seen),
    `at most ${percent(shareBound(honest.refused, honest.answers))} of honest answers are refused (one-sided 95 %)`,
  ]
}

/** Counts the answers after which one is refused with a probability of 0.99. */
const requestsFor99 = (share: number): string =>
  share === 0 ? '–' : share === 1 ? '1' : `${Math.ceil(Math.log(0.01) / Math.log(1 - share))}`

const providers = (text: string): readonly Provider[] => {
  const parsed = parseProviders(text)
  if (parsed === null) throw new InvalidArgumentError('cpu, cuda and webgpu are known, each once, with commas between')
  return parsed
}
