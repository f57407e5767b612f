import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { expect, test } from 'vitest'
import { validatorCommand } from '../src/command.ts'

const context: CommandContext = {
  signal: new AbortController().signal,
  env: {},
  stdout: { write: () => true },
  stderr: { write: () => true },
  cwd: tmpdir(),
  homedir: tmpdir(),
}

test('health looks at its own --data folder though the validator has a flag of that name', async () => {
  const data = mkdtempSync(join(tmpdir(), 'arbor-health-'))
  const command = validatorCommand(context).exitOverride()
  await expect(command.parseAsync(['node', 'validator', 'health', '--data', data])).rejects.toMatchObject({
    code: 'VALIDATOR_STALLED',
    message: expect.stringContaining(join(data, 'ledger.sqlite')),
  })
})
