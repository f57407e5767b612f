import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = ['shared', 'subnet-spec', 'chain', 'engine', 'training', 'miner', 'validator', 'gateway', 'cli']
const CODE = '[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+'

const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'target', 'test'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return walk(path)
    return /\.tsx?$/.test(entry.name) ? [path] : []
  })

const sources = packages
  .flatMap((name) => walk(join(root, name)))
  .map((path) => ({ path: relative(root, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
const rows = [
  ...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(new RegExp(`^\\| (${CODE}) \\|`, 'gm')),
].map((match) => match[1] ?? '')

test('docs/errors.md lists every code that a source throws', () => {
  const thrown = sources.flatMap(({ path, text }) =>
    [...text.matchAll(new RegExp(`\\bcode: '(${CODE})'`, 'g'))].map((match) => ({ code: match[1] ?? '', path })),
  )
  expect(thrown.length).toBeGreaterThan(0)
  expect(thrown.filter(({ code }) => !rows.includes(code)).map(({ code, path }) => `${code} in ${path}`)).toEqual([])
})

test('sources use every code that docs/errors.md lists', () => {
  expect(rows.filter((code) => !sources.some(({ text }) => text.includes(`'${code}'`)))).toEqual([])
})

test('docs/errors.md lists each code once', () => {
  expect(rows.filter((code, index) => rows.indexOf(code) !== index)).toEqual([])
})
