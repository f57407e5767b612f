import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { expect, test } from 'vitest'
import { upCommand } from '../../cli/src/up/command.ts'

test('arbor up --json that is stopped early says so and prints no report', { timeout: 30_000 }, async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'arbor-up-'))
  const written: string[] = []
  const stdout = { isTTY: false, write: (text: string) => written.push(text) > 0 }
  const context: CommandContext = {
    signal: AbortSignal.abort(new Error('stopped')),
    env: process.env,
    stdout,
    stderr: { isTTY: false, write: () => true },
    cwd,
    homedir: cwd,
  }
  try {
    const words = ['node', 'up', '--json', '--epochs', '1', '--spec', 'inference-tiny', '--data', 'net']
    await expect(upCommand(context).parseAsync(words)).rejects.toThrow(
      expect.objectContaining({ code: 'UP_NO_REPORT' }),
    )
    expect(written).toEqual([])
  } finally {
    rmSync(cwd, { recursive: true })
  }
})
