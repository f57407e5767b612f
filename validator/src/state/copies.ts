import { join, resolve } from 'node:path'
import { lockFolder } from '@arbor/chain/folder-lock'
import { backUp } from '@arbor/chain/store/backup'
import { restore } from '@arbor/chain/store/restore'
import type { CommandContext } from '@arbor/shared/command'
import { Command } from 'commander'
import { LEDGER } from '../ledger-schema.ts'
import { mustBeSound } from './sound.ts'

/** Makes `arbor validator backup`: copies the ledger of a validator that may be running. */
export function backupCommand({ stdout, cwd }: CommandContext): Command {
  return new Command('backup')
    .description('copy the ledger into one checked file, while the validator runs or not')
    .requiredOption('--data <folder>', "the validator's data folder")
    .requiredOption('--to <file>', 'where the copy goes')
    .option('--force', 'replace a file of that name')
    .action(async (of: { data: string; to: string; force?: true }) => {
      const [file, to] = [join(resolve(cwd, of.data), 'ledger.sqlite'), resolve(cwd, of.to)]
      const { bytes, version } = await backUp({
        file,
        kind: LEDGER,
        to,
        replace: of.force === true,
        verify: (copy, owner) => void mustBeSound({ db: copy, file: to, owner }),
      })
      stdout.write(`${to}: ${bytes} bytes, schema ${version}, checked\n`)
    })
}

/** Makes `arbor validator restore`: puts a backup in the place of the ledger of a validator that does not run. */
export function restoreCommand({ stdout, cwd }: CommandContext): Command {
  return new Command('restore')
    .description('put a backup in the place of the ledger, and keep what was there beside it')
    .requiredOption('--data <folder>', "the validator's data folder")
    .requiredOption('--from <file>', 'a file that `arbor validator backup` made')
    .action(async (of: { data: string; from: string }) => {
      const data = resolve(cwd, of.data)
      const file = join(data, 'ledger.sqlite')
      using _held = lockFolder({ file: join(data, 'lock.sqlite'), what: 'a validator' })
      const { bytes, version, aside } = await restore({
        from: resolve(cwd, of.from),
        file,
        kind: LEDGER,
        verify: (copy, owner) => void mustBeSound({ db: copy, file: of.from, owner }),
      })
      const was = aside === null ? '' : `; what was there is now ${aside}`
      stdout.write(`${file}: ${bytes} bytes, schema ${version}, checked${was}\n`)
    })
}
