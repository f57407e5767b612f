import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { findModel } from '@arbor/engine/find-model'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { printable } from '@arbor/shared/printable'
import { readReceipt } from '@arbor/validator/receipt-schema'
import { receiptFile } from '@arbor/validator/receipts'
import { verifyEvidence } from '@arbor/validator/verify-evidence'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { rejudge } from './rejudge.ts'
import { becauseOf, linesOf } from './words.ts'

interface Options {
  readonly data?: string
  readonly model?: string
  readonly spec?: string
  readonly json?: boolean
}

const measure = z.number().nullable()
const schema = z.strictObject({
  id: z.string(),
  kind: z.enum(['planned', 'user']),
  hotkey: z.string(),
  uid: z.number(),
  model: z.looseObject({ name: z.string(), hash: z.string() }),
  binding: z.string(),
  /** What was found to hold without the model. */
  held: z.array(z.looseObject({ what: z.string() })),
  recorded: z.strictObject({ reason: z.string(), value: z.number(), sigma: z.number() }),
  verdict: z.strictObject({ reason: z.string(), value: z.number(), sigma: z.number() }),
  agrees: z.boolean(),
  why: z.string(),
  check: z.looseObject({ reason: z.string(), marginMean: measure, marginMax: measure }).nullable(),
  limits: z.looseObject({}).nullable(),
  chunks: z.array(z.looseObject({ chunk: z.number() })),
  positions: z.array(z.looseObject({ position: z.number(), margin: z.number() })),
})

/** Makes `arbor verify`: judges one answer by hand, and says why it passed or failed. */
export function verifyCommand(context: CommandContext): Command {
  return new Command('verify')
    .description('judge one answer again by its receipt, and say why it passed or failed')
    .argument('<receipt>', 'its file, or its id as a validator, a gateway or the log gives it')
    .option('--data <folder>', "the validator's data folder, for an id")
    .option('--model <name or path>', "the model (default: the one of the receipt's name)")
    .option('--spec <name or path>', 'the subnet spec (default: found by the model)')
    .option('--json', 'print one JSON document')
    .action((receipt: string, options: Options) => verify(context, receipt, options))
}

async function verify(context: CommandContext, which: string, options: Options): Promise<void> {
  const { cwd } = context
  const receipt = readReceipt(readFileSync(fileOf(which, { ...options, cwd }), 'utf8'))
  const held = verifyEvidence(receipt)
  const { exchange } = receipt
  const folder = findModel({ model: options.model ?? exchange.model.name, cwd })
  const rejudged = await rejudge({ receipt, folder, spec: options.spec, cwd })
  const { verdict, explanation } = rejudged
  print(context, {
    json: options.json,
    schema,
    value: {
      id: receipt.id,
      kind: exchange.kind,
      hotkey: exchange.hotkey,
      uid: exchange.uid,
      model: { ...exchange.model },
      binding: exchange.binding,
      held: held.map((each) => ({ ...each })),
      recorded: receipt.verdict,
      verdict,
      agrees: verdict.reason === receipt.verdict.reason,
      why: explanation === null ? 'the answer does not fit its schema' : becauseOf(verdict.reason, explanation),
      check: explanation === null ? null : { ...explanation.check },
      limits: explanation === null ? null : { ...explanation.limits },
      chunks: explanation?.chunks.map((each) => ({ ...each })) ?? [],
      positions: explanation?.positions.map((each) => ({ ...each })) ?? [],
    },
    lines: linesOf(receipt, held, rejudged).map(printable), // whoever wrote the receipt wrote parts of them
  })
}

const ID = /(?:^|[^0-9a-f])([0-9a-f]{64})(?:$|[^0-9a-f])/

/** Finds a receipt by its path, or by its id below --data. */
function fileOf(which: string, { data, cwd }: { readonly data?: string; readonly cwd: string }): string {
  const path = resolve(cwd, which)
  if (existsSync(path)) return path
  const id = ID.exec(which)?.[1]
  const file = id === undefined || data === undefined ? null : receiptFile(resolve(cwd, data), id)
  if (file !== null && existsSync(file)) return file
  throw new SubnetError({
    code: 'RECEIPT_MISSING',
    message:
      id === undefined
        ? `There is no file ${path}, and "${which}" is no id of a receipt; give either`
        : data === undefined
          ? `Where the receipt ${id} lies is not said; name its validator's folder with --data`
          : `${file} is not there: the answer was not drawn (yet), was judged by another validator, or its receipt made room for newer ones`,
  })
}
