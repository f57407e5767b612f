import { resolve } from 'node:path'
import { withJson } from '@arbor/chain/options'
import { askStatus } from '@arbor/chain/signer/client'
import { readToken, tokenPathOf } from '@arbor/chain/signer/place'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { createLogger } from '@arbor/shared/log'
import { printable } from '@arbor/shared/printable'
import type { Ms } from '@arbor/shared/units'
import { Command } from 'commander'
import { z } from 'zod'
import { DEFAULT_SOCKET } from './signer-options.ts'

interface Options {
  readonly socket: string
  readonly tokenFile?: string
  readonly json?: boolean
}

const counted = z.record(z.string(), z.number())
const statusSchema = z.looseObject({
  genesis: z.string(),
  specVersion: z.number(),
  policy: z.looseObject({ netuids: z.array(z.number()) }),
  hotkeys: z.array(z.looseObject({ address: z.string(), spentRao: z.string().optional() })),
  signed: counted,
  refused: counted,
  connections: counted,
})

/** Somebody waits for it. */
const DEADLINE_MS = 3_000 as Ms

/** Makes `arbor signer status`: says what a running signer holds and has done. */
export const statusCommand = (context: CommandContext): Command =>
  withJson(new Command('status'))
    .description('say what a running signer holds, and what it has signed and refused')
    .option('--socket <path>', 'where it listens', DEFAULT_SOCKET)
    .option('--token-file <file>', "its token (default: the socket's path and .token)")
    .action((options: Options) => show(context, options))

const show = async ({ cwd, stdout, stderr, signal }: CommandContext, options: Options): Promise<void> => {
  const socket = resolve(cwd, options.socket)
  const tokenFile = resolve(cwd, options.tokenFile ?? tokenPathOf(socket))
  const log = createLogger({ name: 'signer', level: 'error', destination: stderr })
  const token = (): Uint8Array => readToken(tokenFile)
  const said = await askStatus({ socket, token, clock: systemClock, log, signal, deadlineMs: DEADLINE_MS })
  if (options.json) stdout.write(`${JSON.stringify(said)}\n`)
  else stdout.write(`${lines(statusSchema.parse(said)).map(printable).join('\n')}\n`)
}

const lines = (status: z.output<typeof statusSchema>): readonly string[] => [
  ...status.hotkeys.map(
    ({ address, spentRao }) => `hotkey       ${address}${spentRao ? `, ${spentRao} rao spent` : ''}`,
  ),
  `chain        ${status.genesis}, spec version ${status.specVersion}`,
  `subnets      ${status.policy.netuids.join(', ')}`,
  `signed       ${list(status.signed)}`,
  `refused      ${list(status.refused)}`,
  `connections  ${list(status.connections)}`,
]

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'
