import { resolve } from 'node:path'
import { withJson } from '@arbor/chain/options'
import { DATASETS, findDataset } from '@arbor/engine/dataset/find'
import { HELD_OUT_SHARE, type Made, makeDataset } from '@arbor/engine/dataset/make'
import { openDataset, readCard } from '@arbor/engine/dataset/open'
import { findModel } from '@arbor/engine/find-model'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'

const part = z.object({ documents: z.number(), tokens: z.number(), bytes: z.number() })
/** What `arbor finetune data show` prints with --json. */
export const dataSchema = z.object({
  name: z.string(),
  folder: z.string(),
  hash: z.string(),
  tokenizer: z.string(),
  vocabulary: z.number(),
  end: z.number(),
  train: part,
  heldOut: part,
  origin: z.string(),
  licence: z.string(),
})
/** What `arbor finetune data make` prints with --json. */
export const madeSchema = dataSchema.extend({
  leftOut: z.object({ hidden: z.number(), otherKinds: z.number(), empty: z.number(), links: z.number() }),
})

interface MakeOptions {
  readonly name: string
  readonly model: string
  readonly only?: readonly string[]
  readonly heldOut: number
  readonly origin: string
  readonly licence: string
  readonly data: string
  readonly json?: boolean
}

/** Makes `arbor finetune data`. */
export const dataCommand = (context: CommandContext): Command =>
  new Command('data')
    .description('make and show the tokenised text that a training subnet trains on')
    .addCommand(makeCommand(context))
    .addCommand(showCommand(context))

const makeCommand = (context: CommandContext): Command =>
  withJson(new Command('make'))
    .description('tokenise a folder of UTF-8 text: each file a document, some of them held out')
    .argument('<path>', 'the folder of text')
    .requiredOption('--name <name>', "the dataset's name")
    .option('--model <model>', "a model's name or folder, whose tokenizer is taken", 'arbor-tiny')
    .option('--only <endings>', 'endings of the files that are taken, with commas, as .md,.txt', endings)
    .option('--held-out <share>', 'share of the documents that is never trained on', share, HELD_OUT_SHARE)
    .option('--origin <text>', 'where the text is from', 'not told')
    .option('--licence <text>', 'the licence of the text', 'not told')
    .option('--data <folder>', 'the folder that holds datasets', DATASETS)
    .action((path: string, options: MakeOptions) => make(context, path, options))

const showCommand = (context: CommandContext): Command =>
  withJson(new Command('show'))
    .description('check a dataset against its card and print what it holds')
    .argument('<dataset>', 'its name, or the path of its folder')
    .action((dataset: string, options: { readonly json?: boolean }) => show(context, dataset, options.json))

async function make(context: CommandContext, path: string, options: MakeOptions): Promise<void> {
  const { cwd, signal, stderr } = context
  const { name, origin, licence, only, heldOut: heldOutShare } = options
  let told = 0
  const made = await whole(
    signal,
    makeDataset({
      from: resolve(cwd, path),
      model: findModel({ model: options.model, cwd }),
      into: resolve(cwd, options.data),
      name,
      origin,
      licence,
      heldOutShare,
      only: only ?? [],
      onDocument: ({ done, of, tokens }) => {
        if (stderr.isTTY !== true || (done < told + of / 100 && done < of)) return
        told = done
        stderr.write(`\r… ${done} of ${of} documents, ${tokens} tokens${done === of ? '\n' : ''}`)
      },
      signal,
    }),
  )
  const { folder, card, leftOut } = made
  print(context, { json: options.json, schema: madeSchema, value: { ...card, folder, leftOut }, lines: linesOf(made) })
}

async function show(context: CommandContext, dataset: string, json: boolean | undefined): Promise<void> {
  const folder = findDataset({ dataset, cwd: context.cwd })
  await openDataset({ folder })
  const card = await readCard(folder)
  print(context, { json, schema: dataSchema, value: { ...card, folder }, lines: linesOf({ folder, card }) })
}

const linesOf = ({ folder, card, leftOut }: Pick<Made, 'folder' | 'card'> & Partial<Made>): string[] => {
  const { train, heldOut } = card
  const left = leftOut === undefined ? 0 : leftOut.hidden + leftOut.otherKinds + leftOut.empty + leftOut.links
  const counts = ({ documents, tokens, bytes }: typeof train): string =>
    `${documents} documents, ${tokens} tokens, ${bytes} bytes of text`
  return [
    `${card.name} in ${folder}`,
    `train:     ${counts(train)}`,
    `held out:  ${counts(heldOut)}`,
    `tokenizer: ${card.tokenizer}, ${card.vocabulary} tokens`,
    `origin:    ${card.origin}`,
    `licence:   ${card.licence}`,
    ...(left === 0 || leftOut === undefined
      ? []
      : [
          `left out:  ${leftOut.hidden} hidden, ${leftOut.otherKinds} of other kinds, ${leftOut.empty} empty, ${leftOut.links} links`,
        ]),
    'In a spec:',
    `  data: { name: '${card.name}', hash: '${card.hash}' }`,
  ]
}

/** Says that a stopped command made nothing, which a script would else take for success. */
async function whole<T>(signal: AbortSignal, making: Promise<T>): Promise<T> {
  try {
    return await making
  } catch (cause) {
    if (!signal.aborted) throw cause
    throw new SubnetError({
      code: 'DATASET_NOT_MADE',
      message: 'The command was stopped before the dataset was whole, and left nothing of it; run it again',
      cause,
    })
  }
}

const endings = (value: string): readonly string[] => {
  const list = value.split(',').filter((ending) => ending !== '')
  if (list.length === 0) throw new InvalidArgumentError('Give endings with commas, as .md,.txt.')
  return list
}

const share = (value: string): number => {
  const number = Number(value)
  if (!(number > 0 && number < 1)) throw new InvalidArgumentError('Give a share above 0 and below 1, as 0.05.')
  return number
}
