import { resolve } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command } from 'commander'
import { checkData, type Finding } from './check.ts'

/** Makes `arbor validator check`: reads everything that a data folder holds, and writes nothing. */
export function checkCommand({ stdout, cwd }: CommandContext): Command {
  return new Command('check')
    .description('check the ledger, its log, the receipts and the users’ answers of a data folder; writes nothing')
    .requiredOption('--data <folder>', "the validator's data folder")
    .option('--json', 'print {"ok", "findings"}')
    .action((of: { data: string; json?: true }) => {
      const data = resolve(cwd, of.data)
      const findings = checkData(data)
      const bad = findings.filter(({ ok }) => !ok)
      const text = of.json ? JSON.stringify({ ok: bad.length === 0, findings }) : findings.map(lineOf).join('\n')
      stdout.write(`${text}\n`)
      if (bad.length === 0) return
      throw new SubnetError({
        code: 'DATA_UNSOUND',
        message: `${data} is not sound: ${bad.map(({ name, code }) => `${name} (${code})`).join(', ')}; docs/state.md says what to do`,
      })
    })
}

const lineOf = ({ name, ok, code, message, facts }: Finding): string =>
  ok
    ? `${name}: sound${Object.entries(facts)
        .map(([key, value]) => `, ${key} ${value}`)
        .join('')}`
    : `${name}: ${code}: ${message}`
