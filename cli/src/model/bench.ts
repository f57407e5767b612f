import { integerArgument, withJson } from '@arbor/chain/options'
import { startContained } from '@arbor/engine/contained/start'
import { findModel } from '@arbor/engine/find-model'
import { readModelFolder } from '@arbor/engine/folder'
import { parseProviders } from '@arbor/engine/providers'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Provider } from '@arbor/shared/inference'
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { table } from '../table.ts'
import type { BenchJob, BenchOutcome } from './bench-worker.ts'

/** What `arbor model bench` prints with --json. */
export const benchSchema = z.object({
  name: z.string(),
  hash: z.string(),
  profile: z.string(),
  threads: z.number(),
  runs: z.array(
    z.object({
      provider: z.string(),
      batch: z.number(),
      firstTokenMs: z.number(),
      tokensPerSecond: z.number(),
      tokensPerCpuSecond: z.number(),
      /** Of all answers together. */
      tokens: z.number(),
      residentBytes: z.number(),
      /** Why answers ran one by one although more were asked for. */
      single: z.string().nullable(),
      cache: z.string(),
    }),
  ),
  /** Providers that did not open the model or did not get through, and why. */
  refused: z.array(z.object({ provider: z.string(), batch: z.number(), code: z.string(), reason: z.string() })),
})
type Found = z.input<typeof benchSchema>

interface Options {
  readonly batch: readonly number[]
  readonly providers: readonly Provider[]
  readonly tokens: number
  readonly threads: number
  readonly json?: boolean
}

/** Makes `arbor model bench`. */
export const benchCommand = (context: CommandContext): Command =>
  withJson(new Command('bench'))
    .description('measure tokens a second, first token and memory, by batch size, provider by provider')
    .argument('<model>', 'its name, or the path of its folder')
    .option('--batch <list>', 'answers at once, with commas between', batches, [1, 4, 16])
    .option('--providers <list>', 'execution providers to try, each alone', providers, ['cpu', 'cuda', 'webgpu'])
    .option('--tokens <n>', 'tokens of each answer', integerArgument(2, 2_048), 64)
    .option('--threads <n>', 'threads that one inference uses', integerArgument(1, 64), 1)
    .action((model: string, options: Options) => bench(context, model, options))

async function bench(context: CommandContext, model: string, options: Options): Promise<void> {
  const folder = findModel({ model, cwd: context.cwd })
  const { id } = await readModelFolder({ folder })
  const runs: Found['runs'] = []
  const refused: Found['refused'] = []
  for (const provider of options.providers) {
    for (const batch of options.batch) {
      const { tokens, threads } = options
      const outcome = await runOnce(context, { folder, provider, batch, tokens, threads })
      if ('code' in outcome) refused.push({ provider, batch, ...outcome })
      else runs.push({ provider, batch, ...outcome })
      if ('code' in outcome && outcome.code !== 'ENGINE_CACHE_FULL') break // what does not open does not open at another size
    }
  }
  print(context, {
    json: options.json,
    schema: benchSchema,
    value: { name: id.name, hash: id.hash, profile: id.profile, threads: options.threads, runs, refused },
    lines: [
      `${id.name}, ${id.profile}, ${options.threads} thread${options.threads === 1 ? '' : 's'}`,
      ...linesOf(runs),
    ].concat(refused.map(({ provider, batch, code, reason }) => `${provider}, batch ${batch}: ${code}: ${reason}`)),
  })
}

/** Runs one measurement in a process of its own, so that memory is its own and a provider that aborts takes nothing along. */
async function runOnce(
  context: CommandContext,
  job: BenchJob,
): Promise<BenchOutcome | { readonly code: string; readonly reason: string }> {
  const silent = { info: () => undefined, warn: () => undefined }
  const contained = startContained<BenchJob, BenchOutcome>({
    worker: new URL('./bench-worker.ts', import.meta.url),
    workerData: null,
    threads: 1,
    maxQueue: 1,
    maxRestarts: 0,
    log: silent,
    signal: context.signal,
  })
  try {
    return await contained.run(job, { signal: context.signal })
  } catch (error) {
    if (context.signal.aborted || !(error instanceof SubnetError)) throw error
    return { code: error.code, reason: error.message }
  } finally {
    await contained.close()
  }
}

const linesOf = (runs: Found['runs']): readonly string[] => {
  const notes = new Set(runs.flatMap(({ single }) => (single === null ? [] : [`one by one: ${single}`])))
  return runs.length === 0
    ? []
    : [
        ...table(
          ['provider', 'batch', 'tokens/s', 'tokens/CPU s', 'first token ms', 'resident MB'],
          runs.map((run) => [
            run.provider,
            `${run.batch}`,
            run.tokensPerSecond.toFixed(1),
            run.tokensPerCpuSecond.toFixed(1),
            run.firstTokenMs.toFixed(1),
            (run.residentBytes / 1e6).toFixed(0),
          ]),
        ),
        ...notes,
      ]
}

const batches = (text: string): readonly number[] => text.split(',').map((size) => integerArgument(1, 256)(size))

const providers = (text: string): readonly Provider[] => {
  const parsed = parseProviders(text)
  if (parsed === null) throw new InvalidArgumentError('cpu, cuda and webgpu are known, each once, with commas between')
  return parsed
}
