import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { shortExports } from '../scripts/trim-install.mjs'

/** An export as @polkadot's packages write it. */
const plain = (file: string) => {
  const said = (at: string) => ({ types: at.replace(/\.js$/, '.d.ts'), default: at })
  return { module: said(file), require: said(file.replace('./', './cjs/')), default: said(file) }
}
const exports = {
  './cjs/*': './cjs/*.js',
  '.': plain('./index.js'),
  './format': plain('./format/index.js'),
  './format/date': plain('./format/date.js'),
  './assert': plain('./assert.js'),
  './fetch': { node: './fetch.node.js', default: './fetch.js' },
  './package.json': { require: './cjs/package.json', default: './package.json' },
}
const files = [
  'index.js',
  'format/index.js',
  'format/date.js',
  'assert.js',
  'fetch.js',
  'fetch.node.js',
  'package.json',
]

test('a shortened manifest leads every name to the file that it led to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-trim-'))
  try {
    const short = shortExports(exports)
    expect(JSON.stringify(short).length).toBeLessThan(JSON.stringify(exports).length / 2)
    for (const [name, said] of Object.entries({ long: exports, short })) {
      for (const file of files.flatMap((path) => [path, `cjs/${path}`])) {
        const path = join(folder, 'node_modules', name, file)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, '{}')
      }
      writeFileSync(join(folder, 'node_modules', name, 'package.json'), JSON.stringify({ name, exports: said }))
    }
    const { resolve } = createRequire(join(folder, 'from.js'))
    const names = [...Object.keys(exports).filter((name) => !name.includes('*')), './cjs/assert', './cjs/format/date']
    const found = (of: string) => names.map((name) => resolve(join(of, name)).replace(`/${of}/`, '/'))
    expect(found('short')).toEqual(found('long'))
    expect(short['./format']).toEqual({ require: './cjs/format/index.js', default: './format/index.js' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
