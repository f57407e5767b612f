import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFolder } from '../src/folder-lock.ts'

test('lockFolder refuses a second holder until the first lets go, and names a folder that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-lock-'))
  try {
    const file = join(folder, 'lock.sqlite')
    const held = lockFolder({ file, what: 'a validator' })
    expect(() => lockFolder({ file, what: 'a validator' })).toThrow(expect.objectContaining({ code: 'FOLDER_IN_USE' }))
    held[Symbol.dispose]()
    lockFolder({ file, what: 'a validator' })[Symbol.dispose]()
    const missing = join(folder, 'none', 'lock.sqlite')
    expect(() => lockFolder({ file: missing, what: 'a miner' })).toThrow(
      expect.objectContaining({ code: 'FOLDER_UNUSABLE' }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
