import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command } from 'commander'

/** Makes `arbor validator health`: exits 0 while rounds are being recorded. A validator itself never listens. */
export function healthCommand({ stdout, cwd }: CommandContext): Command {
  return new Command('health')
    .description('tell whether the validator of a data folder recorded a round lately')
    .requiredOption('--data <folder>', "the validator's data folder")
    .option('--within <seconds>', 'how long ago the last round may be', Number, 600)
    .action(({ data, within }: { data: string; within: number }) => {
      const file = join(resolve(cwd, data), 'ledger.sqlite')
      const at = lastRoundAt(file)
      const seconds = at === null ? null : Math.round((systemClock.now() - at) / 1_000)
      if (seconds === null || seconds > within) {
        throw new SubnetError({
          code: 'VALIDATOR_STALLED',
          message: `the last round in ${file} was ${seconds === null ? 'never' : `${seconds} s ago`}, more than ${within} s: look at the validator's log`,
        })
      }
      stdout.write(`last round ${seconds} s ago\n`)
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
