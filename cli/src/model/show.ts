import { withJson } from '@arbor/chain/options'
import { findModel } from '@arbor/engine/find-model'
import { readModelFolder } from '@arbor/engine/folder'
import { thresholdsHash } from '@arbor/engine/thresholds'
import { openTokenizer } from '@arbor/engine/tokenizer'
import type { CommandContext } from '@arbor/shared/command'
import { inferenceSpecifier } from '@arbor/subnet-spec/inference-specifier'
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'

/** What `arbor model show` prints with --json. */
export const showSchema = z.object({
  name: z.string(),
  folder: z.string(),
  hash: z.string(),
  profile: z.string(),
  vocabulary: z.number(),
  context: z.number(),
  start: z.number().nullable(),
  ends: z.array(z.number()),
  chats: z.boolean(),
  files: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
  thresholds: z.array(
    z.object({
      profile: z.string(),
      provider: z.string(),
      proof: z.string(),
      answers: z.number(),
      refused: z.number(),
    }),
  ),
  /** SHA-256 of the limits, which a spec may pin. */
  thresholdsHash: z.string(),
  /** What `--spec` takes for the inference subnet of this model. */
  spec: z.string(),
})

interface Options {
  readonly speed: number
  readonly json?: boolean
}

/** Makes `arbor model show`. */
export const showCommand = (context: CommandContext): Command =>
  withJson(new Command('show'))
    .description('check a model folder against its card and print what it holds')
    .argument('<model>', 'its name, or the path of its folder')
    .option('--speed <tokens>', 'tokens a second that the printed spec expects of a miner', positive, 20)
    .action((model: string, options: Options) => show(context, model, options))

async function show(context: CommandContext, model: string, options: Options): Promise<void> {
  const folder = findModel({ model, cwd: context.cwd })
  const { id, card, config, tokenizer } = await readModelFolder({ folder })
  const { chats } = openTokenizer(tokenizer)
  const limits = card.thresholds.map(({ profile, provider, proof, calibration }) => {
    const { answers, refused } = calibration.honest
    return { profile, provider, proof, answers, refused }
  })
  const pinned = thresholdsHash(card.thresholds)
  const spec = inferenceSpecifier({
    model: { name: id.name, hash: id.hash, ...(limits.length === 0 ? {} : { thresholds: pinned }) },
    speed: { tokensPerSecond: options.speed, context: config.context },
    vocabulary: config.vocabulary,
  })
  const { vocabulary, context: length, start, ends } = config
  print(context, {
    json: options.json,
    schema: showSchema,
    value: {
      ...{ name: id.name, folder, hash: id.hash, profile: id.profile, vocabulary, context: length, start, chats, spec },
      ends: [...ends],
      files: [...card.files],
      thresholds: limits,
      thresholdsHash: pinned,
    },
    lines: [
      `${id.name} in ${folder}`,
      `hash     ${id.hash}, as its files give it`,
      `profile  ${id.profile}`,
      `speaks   ${vocabulary} tokens, ${length} in all, starts with ${start ?? 'none'}, ends at ${ends.join(', ') || 'none'}, ${chats ? 'takes messages' : 'has no chat template'}`,
      ...card.files.map(({ name, bytes }) => `file     ${name}, ${bytes} bytes`),
      ...(limits.length === 0 ? [`limits   none: run arbor model calibrate ${id.name}`] : []),
      ...limits.map(
        ({ profile, provider, proof, answers, refused }) =>
          `limits   ${profile} on ${provider}, ${proof}: ${refused} of ${answers} honest answers refused`,
      ),
      `spec     --spec ${spec}`,
    ],
  })
}

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0 && value < 1e6)) throw new InvalidArgumentError('a number above 0 is due')
  return value
}
