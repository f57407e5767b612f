import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { withJson } from '@arbor/chain/options'
import type { CommandContext } from '@arbor/shared/command'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { reportPage } from './page.ts'
import { readSource, type SourceOptions, withSource } from './source.ts'

/** What `arbor finetune report` prints with --json. */
export const reportSchema = z.strictObject({ file: z.string(), rounds: z.number(), loss: z.number().nullable() })

interface Options extends SourceOptions {
  readonly out: string
  readonly json?: boolean
}

/** Makes `arbor finetune report`: losses and ratings as one page. */
export const reportCommand = (context: CommandContext): Command =>
  withJson(withSource(new Command('report')))
    .description('draw losses and ratings of a training subnet as one HTML page that needs nothing else')
    .option('--out <file>', 'the page', 'report.html')
    .action((options: Options) => report(context, options))

async function report(context: CommandContext, options: Options): Promise<void> {
  const history = await readSource(options, context)
  const file = resolve(context.cwd, options.out)
  writeFileSync(file, reportPage(history))
  const { rounds } = history
  const loss = rounds.findLast(({ heldOut }) => heldOut !== null)?.heldOut ?? null
  print(context, {
    json: options.json,
    schema: reportSchema,
    value: { file, rounds: rounds.length, loss },
    lines: [`${rounds.length} rounds, held-out loss ${loss === null ? 'not measured' : loss.toFixed(4)}: ${file}`],
  })
}
