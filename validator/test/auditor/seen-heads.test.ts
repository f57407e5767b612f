import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keypairFromUri } from '@arbor/shared/keys'
import { expect, test } from 'vitest'
import { openSeenHeads } from '../../src/auditor/seen-heads.ts'
import { serveEntries } from './written.ts'

test('heads are kept over restarts, but for those of sources that are said to have lost their logs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-heads-'))
  try {
    const file = join(folder, 'heads.json')
    const [first, second] = ['//First', '//Second'].map(
      (uri) => serveEntries(['{}'], { signer: keypairFromUri(uri), block: 7 }).signed,
    )
    if (first === undefined || second === undefined) throw new Error('unreachable: two heads are made')
    const seen = openSeenHeads({ file, forget: [] })
    seen.set(first)
    seen.set(second)
    const kept = openSeenHeads({ file, forget: [] })
    expect([kept.get(first.hotkey), kept.get(second.hotkey)]).toEqual([first, second])
    const forgiving = openSeenHeads({ file, forget: [first.hotkey] })
    expect([forgiving.get(first.hotkey), forgiving.get(second.hotkey)]).toEqual([undefined, second])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
