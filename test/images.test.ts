import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chainOf, parseDockerfile, type Step } from '../scripts/images/dockerfile.ts'
import { readIgnore } from '../scripts/images/ignore.ts'

const root = new URL('../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const stages = parseDockerfile(read('docker/Dockerfile'))
const ignored = readIgnore(read('.dockerignore'))

const copied = (target: string): readonly string[] =>
  chainOf(stages, target).flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'copy' ? step.sources : [])))
const last = <K extends Step['kind']>(target: string, kind: K): Extract<Step, { kind: K }> | undefined =>
  chainOf(stages, target)
    .flatMap(({ steps }) => steps)
    .findLast((step): step is Extract<Step, { kind: K }> => step.kind === kind)

test.each([
  'chain',
  'miner',
  'validator',
  'gateway',
  'setup',
])('image %s runs what it copies, as a user without rights', (target) => {
  for (const path of copied(target)) {
    expect(existsSync(new URL(path, root)), path).toBe(true)
    expect(ignored(path), path).toBe(false)
  }
  const main = last(target, 'entrypoint')?.words[1] ?? ''
  expect(existsSync(new URL(main, root)), main).toBe(true)
  expect(copied(target).some((path) => main.startsWith(`${path}/`))).toBe(true)
  expect(last(target, 'user')?.name).toBe('arbor')
})

/** Packages of the checkout that one needs, itself among them. */
const needed = (name: string, known = new Set<string>()): ReadonlySet<string> => {
  if (known.has(name)) return known
  known.add(name)
  const { dependencies = {} } = JSON.parse(read(`${name}/package.json`)) as { dependencies?: Record<string, string> }
  for (const each of Object.keys(dependencies)) if (each.startsWith('@arbor/')) needed(each.slice(7), known)
  return known
}

test.each([
  'chain',
  'miner',
  'validator',
  'gateway',
  'setup',
])('image %s holds every package that its program needs', (target) => {
  const [program = ''] = (last(target, 'entrypoint')?.words[1] ?? '').split('/')
  const paths = copied(target)
  for (const name of needed(program))
    expect(
      paths.some((path) => path === name || path === `${name}/src`),
      name,
    ).toBe(true)
})

test('images know the manifest of every workspace, or an install by the lock file fails', () => {
  const { workspaces } = JSON.parse(read('package.json')) as { workspaces: readonly string[] }
  for (const name of workspaces) expect(copied('chain')).toContain(`${name}/package.json`)
})

test('a Dockerfile is refused when a line of it would not be carried out as Docker does', () => {
  const head = 'FROM node:24-bookworm-slim AS one\n'
  for (const line of [
    'ADD a b',
    'COPY --from=two a b',
    'RUN --mount=type=cache x',
    'CMD node x',
    'SHELL ["a"]',
    'ENV A="b c"',
  ])
    expect(() => parseDockerfile(`${head}${line}\n`), line).toThrow(line)
  expect(() => parseDockerfile('FROM scratch\n')).toThrow('FROM scratch')
})

test('ignored paths are those that Docker ignores', () => {
  const ignores = readIgnore('**/node_modules\n*.log\n/docs/\n# a comment\n')
  expect(['node_modules/a', 'chain/node_modules', 'x.log', 'docs/a/b'].filter((path) => !ignores(path))).toEqual([])
  expect(['chain/x.log', 'chain/docs', 'node_modules2', 'xlog'].filter(ignores)).toEqual([])
  expect(() => readIgnore('!keep')).toThrow('!keep')
})
