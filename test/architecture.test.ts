import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Who may import whom: docs/architecture.md, "Folders". */
const allowed: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  'subnet-spec': ['shared'],
  chain: ['shared'],
  engine: ['shared'],
  training: ['shared', 'subnet-spec', 'chain', 'engine'],
  miner: ['shared', 'subnet-spec', 'chain', 'engine', 'training'],
  validator: ['shared', 'subnet-spec', 'chain', 'engine', 'training'],
  gateway: ['shared', 'subnet-spec', 'chain', 'engine', 'validator'],
  cli: ['shared', 'subnet-spec', 'chain', 'engine', 'training', 'miner', 'validator', 'gateway'],
}
const packages = Object.keys(allowed)

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

const sourcesOf = (name: string): Source[] =>
  walk(join(root, name))
    .filter((file) => !file.includes(`${sep}test${sep}`))
    .map((file) => {
      const text = withoutComments(readFileSync(file, 'utf8'))
      return { path: relative(root, file), text, imports: importsOf(text) }
    })

const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'target') return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return walk(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/[^\n]*/g, '$1')

const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\s*\(\s*)['"]([^'"]+)['"]/g)].map((match) => match[1] ?? '')

const packageOf = (specifier: string): string =>
  specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '')

const dependenciesOf = (name: string): readonly string[] => {
  const manifest = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'))
  return Object.keys(manifest.dependencies ?? {})
}

describe.each(packages)('package %s', (name) => {
  const sources = sourcesOf(name)
  const declared = dependenciesOf(name)

  test('manifest names no package of ours that the table forbids', () => {
    const ours = declared.filter((dep) => dep.startsWith('@arbor/')).map((dep) => dep.slice('@arbor/'.length))
    expect(ours.filter((dep) => !allowed[name]?.includes(dep))).toEqual([])
  })

  test('sources import only what the manifest declares', () => {
    const undeclared = sources.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .filter((specifier) => !declared.includes(packageOf(specifier)))
        .map((specifier) => `${path} imports ${specifier}`),
    )
    expect(undeclared).toEqual([])
  })

  test('sources reach into no other folder by a relative path', () => {
    const reaches = sources.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !join(path, '..', specifier).startsWith(`${name}${sep}`))
        .map((specifier) => `${path} imports ${specifier}`),
    )
    expect(reaches).toEqual([])
  })

  test('manifest declares nothing that no source uses', () => {
    const used = new Set(sources.flatMap(({ imports }) => imports.map(packageOf)))
    expect(declared.filter((dep) => !used.has(dep))).toEqual([])
  })

  test('only entry points (main.ts, child.ts) read the environment, exit or handle signals', () => {
    const effects = /process\.(env|exit|on|once)\b/
    expect(
      sources
        .filter(({ path, text }) => !/(main|child|runtime-env)\.ts$/.test(path) && effects.test(text))
        .map((s) => s.path),
    ).toEqual([])
  })

  test('only the clock reads time', () => {
    const time = /\b(Date\.now|new Date\(\)|setTimeout|setInterval|performance\.now|AbortSignal\.timeout)\b/
    const offenders = sources.filter(({ path, text }) => path !== join('shared', 'src', 'clock.ts') && time.test(text))
    expect(offenders.map((source) => source.path)).toEqual([])
  })

  test('no source switches types off or draws its own randomness', () => {
    const off = /\bas any\b|: any\b|@ts-ignore|@ts-nocheck|Math\.random/
    expect(sources.filter(({ text }) => off.test(text)).map((source) => source.path)).toEqual([])
  })
})

test('subnet-spec imports nothing but shared, zod and openskill', () => {
  const pure = sourcesOf('subnet-spec').filter(({ path }) => path !== join('subnet-spec', 'src', 'load.ts'))
  const outside = pure.flatMap(({ path, imports }) =>
    imports
      .filter((specifier) => !/^(\.|@arbor\/shared\/|zod$|openskill(\/models)?$)/.test(specifier))
      .map((specifier) => `${path} imports ${specifier}`),
  )
  expect(outside).toEqual([])
})

test('shared uses no network and no disk', () => {
  const outside = sourcesOf('shared').flatMap(({ path, imports }) =>
    imports
      .filter((specifier) => /^node:(fs|net|http|https|http2|dgram|tls|dns|child_process|sqlite)/.test(specifier))
      .map((specifier) => `${path} imports ${specifier}`),
  )
  expect(outside).toEqual([])
})

test('miner and validator never import each other', () => {
  expect(allowed.miner).not.toContain('validator')
  expect(allowed.validator).not.toContain('miner')
})

test('miner, validator and gateway open hotkeys only: no name by which a coldkey is opened or written is imported', () => {
  const forbidden =
    /\b(openColdkey|readColdkeyFile|coldkeyFiles|decryptKey|changePassword|createWallet|parseSecret|decrypted)\b/
  const offenders = ['miner', 'validator', 'gateway'].flatMap(sourcesOf).filter(({ text }) => forbidden.test(text))
  expect(offenders.map(({ path }) => path)).toEqual([])
  const used = ['miner', 'validator', 'gateway'].flatMap(sourcesOf).flatMap(({ imports }) => imports)
  const wallet = used.filter((specifier) => specifier.startsWith('@arbor/chain/wallet/'))
  const harmless = ['@arbor/chain/wallet/access', '@arbor/chain/wallet/open', '@arbor/chain/wallet/replace-file']
  expect(wallet.filter((specifier) => !harmless.includes(specifier))).toEqual([])
})

test('every dependency is pinned to an exact version', () => {
  const manifests = ['.', ...packages].map((name) => JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')))
  const loose = manifests.flatMap((manifest) =>
    Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))
      .map(([dep, version]) => `${manifest.name}: ${dep}@${version}`),
  )
  expect(loose).toEqual([])
})

test('the lockfile names no registry', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  expect(lock.match(/"resolved": "https?:[^"]*"/g) ?? []).toEqual([])
})

describe('one connection to the chain a process (C-19, C-22)', () => {
  const all = packages.flatMap(sourcesOf)
  const where = (pattern: RegExp): string[] =>
    all
      .filter(({ text }) => pattern.test(text))
      .map(({ path }) => path.split(sep).join('/'))
      .sort()

  test('only commands connect, and each of them once', () => {
    const connecting = where(/\bconnectChain\(/).filter((path) => path !== 'chain/src/client/connect.ts')
    // `up` is the local net's own process; the beacon may run in the chain's process, which serves and does not ask.
    const others = ['chain/src/beacon/in-process.ts', 'chain/src/compat.ts', 'cli/src/chain.ts', 'cli/src/up/up.ts']
    expect(connecting.filter((path) => !/command\.ts$/.test(path) && !others.includes(path))).toEqual([
      'gateway/src/run.ts',
    ])
    const twice = all.filter(
      ({ path, text }) =>
        !path.endsWith(join('client', 'connect.ts')) && (text.match(/\bconnectChain\(/g) ?? []).length > 1,
    )
    expect(twice.map(({ path }) => path)).toEqual([])
  })

  test('only one module opens a WebSocket to a chain', () => {
    const opening = where(/\bnew WebSocket\(|\bfrom 'ws'|\bopenWire\(/)
    const toChain = opening.filter((path) => path.startsWith('chain/src/client/'))
    expect(toChain).toEqual(['chain/src/client/probe.ts', 'chain/src/client/socket.ts', 'chain/src/client/wire.ts'])
    expect(where(/\bnew WebSocket\(/).filter((path) => path.startsWith('chain/'))).toEqual(['chain/src/client/wire.ts'])
    // Servers of our own, and miners that dial validators and relays.
    const ours = /^(chain\/src\/rpc|miner\/src\/dial|validator\/src\/relay)\//
    expect(opening.filter((path) => !path.startsWith('chain/src/client/') && !ours.test(path))).toEqual([])
  })

  test('no other client of chains is used', () => {
    const clients = /^@polkadot\/(api|rpc-provider|rpc-core)|^polkadot-api$|^@polkadot-api\//
    expect(all.flatMap(({ path, imports }) => imports.filter((name) => clients.test(name)).map(() => path))).toEqual([])
  })
})
