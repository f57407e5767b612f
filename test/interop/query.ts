/**
 * Asks an axon that serves the synapses of the table in docs/bittensor.md, with the parts of a real dendrite.
 * Usage: query.ts HOST PORT HOTKEY [--uri //Alice] [--only basics] [--questions 512] [--at-once 128]
 * One line of PASS or FAIL for each check, `N passed, N failed` at the end; exit code 1 when one failed, 2 for a wrong call.
 */
import { lookup } from 'node:dns/promises'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { keypairFromUri } from '@arbor/shared/keys'
import { ss58 } from '@arbor/shared/ss58'
import { openAsker } from './support/asker.ts'
import { basics, type Check, crowd, refusals } from './support/checks.ts'

const USAGE = 'usage: query.ts HOST PORT HOTKEY [--uri //Alice] [--only basics] [--questions 512] [--at-once 128]'

/** Runs every check, one after the other, and prints what came of each. @returns how many failed */
async function query(words: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      uri: { type: 'string', default: '//Alice' },
      only: { type: 'string' },
      questions: { type: 'string', default: '512' },
      'at-once': { type: 'string', default: '128' },
    },
  })
  const [host, port, hotkey] = positionals
  if (host === undefined || port === undefined || hotkey === undefined || positionals.length > 3) throw new Error(USAGE)
  if (values.only !== undefined && values.only !== 'basics') throw new Error(USAGE)
  const asker = openAsker({
    ip: (await lookup(host)).address,
    port: whole(port, 65_535),
    hotkey: ss58(hotkey),
    signer: keypairFromUri(values.uri),
  })
  const many = crowd({ questions: whole(values.questions), atOnce: whole(values['at-once']) })
  const checks: readonly Check[] = values.only === 'basics' ? basics : [...basics, ...refusals, many]
  let failed = 0
  for (const check of checks) {
    try {
      await check.run(asker)
      process.stdout.write(`PASS ${check.name}\n`)
    } catch (error) {
      failed += 1
      const why = error instanceof Error ? error.message : String(error)
      process.stdout.write(`FAIL ${check.name}: ${why.replaceAll(/\s+/g, ' ').slice(0, 300)}\n`)
    }
  }
  await asker.close()
  process.stdout.write(`${checks.length - failed} passed, ${failed} failed\n`)
  return failed
}

/** Reads a whole number from 1. */
function whole(text: string, max = 1_000_000): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Error(`"${text}" is no number in 1..${max}\n${USAGE}`)
  return value
}

try {
  process.exitCode = (await query(process.argv.slice(2))) === 0 ? 0 : 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
