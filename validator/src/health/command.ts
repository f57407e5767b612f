import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startDeadline, systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import { Command } from 'commander'
import { z } from 'zod'
import { HEALTH_FILE } from './messages.ts'

/** Milliseconds for the answer: a container's check has five seconds for all of it. */
const ANSWER_MS = 3_500 as Ms
const readySchema = z.object({
  ready: z.boolean(),
  code: z.string().optional(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), is: z.unknown() })).default({}),
})

/** Makes `arbor validator health`: asks a validator's `/readyz` where it serves one, else looks whether rounds are being recorded. */
export function healthCommand({ stdout, cwd, signal }: CommandContext): Command {
  return new Command('health')
    .description('tell whether the validator of a data folder does its work')
    .requiredOption('--data <folder>', "the validator's data folder")
    .option('--within <seconds>', 'without --health of the validator: how long ago the last round may be', Number, 600)
    .action(async ({ data, within }: { data: string; within: number }) => {
      const folder = resolve(cwd, data)
      const url = healthUrl(join(folder, HEALTH_FILE))
      stdout.write(`${url === null ? lastRound(folder, within) : await ready(url, signal)}\n`)
    })
}

/** Reads where the validator serves its health; null when it serves none. */
function healthUrl(file: string): string | null {
  if (!existsSync(file)) return null
  const read = z.object({ url: z.url() }).safeParse(JSON.parse(readFileSync(file, 'utf8')))
  return read.success ? read.data.url : null
}

async function ready(url: string, signal: AbortSignal): Promise<string> {
  const late = new Error(`no answer within ${ANSWER_MS} ms`)
  using deadline = startDeadline({ clock: systemClock, ms: ANSWER_MS, parent: signal, reason: () => late })
  const answer = await fetch(`${url}/readyz`, { signal: deadline.signal, redirect: 'error' })
    .then((response) => response.json())
    .catch((error: unknown) => {
      throw notReady(`nothing answers at ${url}/readyz: ${error instanceof Error ? error.message : String(error)}`)
    })
  const read = readySchema.safeParse(answer)
  if (!read.success) throw notReady(`${url}/readyz answers what no validator does`)
  const { ready: isReady, code, checks } = read.data
  const lines = Object.entries(checks).map(([name, { ok, is }]) => `${name} ${ok ? 'ok' : 'NOT OK'} (${String(is)})`)
  if (!isReady) throw notReady([...(code === undefined ? [] : [code]), ...lines].join(', '))
  return `ready: ${lines.join(', ')}`
}

const notReady = (what: string): SubnetError =>
  new SubnetError({
    code: 'VALIDATOR_NOT_READY',
    message: `the validator does not do its work: ${what}; look at its log, and at docs/operating.md`,
    retryable: true,
  })

/** @throws VALIDATOR_STALLED */
function lastRound(folder: string, within: number): string {
  const file = join(folder, 'ledger.sqlite')
  const at = lastRoundAt(file)
  const seconds = at === null ? null : Math.round((systemClock.now() - at) / 1_000)
  if (seconds !== null && seconds <= within) return `last round ${seconds} s ago`
  throw new SubnetError({
    code: 'VALIDATOR_STALLED',
    message: `the last round in ${file} was ${seconds === null ? 'never' : `${seconds} s ago`}, more than ${within} s: look at the validator's log`,
  })
}

function lastRoundAt(file: string): number | null {
  if (!existsSync(file)) return null
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const at = db.prepare('SELECT max(at) AS at FROM rounds').get()?.at
    return at === null || at === undefined ? null : Number(at)
  } finally {
    db.close()
  }
}
