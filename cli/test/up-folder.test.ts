import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openNetFolder } from '../src/up/folder.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'arbor-net-'))
})
afterEach(() => rmSync(home, { recursive: true }))

const use = (data: string, fresh: boolean): void => openNetFolder({ data, fresh })[Symbol.dispose]()
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('openNetFolder', () => {
  test('leaves a folder alone that no local net made, fresh or not', () => {
    mkdirSync(join(home, 'wallets'))
    writeFileSync(join(home, 'wallets', 'mine'), 'a key')
    for (const fresh of [true, false]) expect(() => use(home, fresh)).toThrow(code('UP_NOT_A_NET'))
    expect(readdirSync(home)).toEqual(['wallets'])
    expect(readFileSync(join(home, 'wallets', 'mine'), 'utf8')).toBe('a key')
  })

  test('keeps an older net, and throws away that net alone when fresh', () => {
    const data = join(home, 'net')
    use(data, false)
    mkdirSync(join(data, 'chain'))
    mkdirSync(join(data, 'miner-12'))
    writeFileSync(join(data, 'notes.txt'), 'keep me')
    use(data, false)
    expect(existsSync(join(data, 'chain'))).toBe(true)
    use(data, true)
    expect(readdirSync(data).sort()).toEqual(['net.sqlite', 'notes.txt'])
  })

  test('removes nothing while another net runs there', () => {
    const data = join(home, 'net')
    using _running = openNetFolder({ data, fresh: false })
    mkdirSync(join(data, 'chain'))
    expect(() => use(data, true)).toThrow(code('FOLDER_IN_USE'))
    expect(existsSync(join(data, 'chain'))).toBe(true)
  })

  test('says why when the folder is a file', () => {
    writeFileSync(join(home, 'file'), '')
    expect(() => use(join(home, 'file'), false)).toThrow(code('UP_FOLDER'))
  })
})
