import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Runs a program to its end. @returns what it wrote to stdout @throws with the end of what it wrote when it fails */
export function exec(program: string, args: readonly string[], options: { readonly cwd?: string } = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  if (status === 0) return stdout
  const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-25).join('\n')
  throw new Error(`${program} ${args[0] ?? ''} … ended with ${status ?? signal ?? error?.message}:\n${said}`)
}

/** Mounts what every container has: proc, sys, and a small dev. `$1` is its root. */
export const SYSTEM_MOUNTS = `
set -eu
mount -t proc -o nosuid,nodev,noexec proc "$1/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$1/sys"
mount -t tmpfs -o mode=755,nosuid tmpfs "$1/dev"
for device in null zero full random urandom; do : >"$1/dev/$device"; mount --bind "/dev/$device" "$1/dev/$device"; done
for link in fd stdin:0 stdout:1 stderr:2; do
  case $link in fd) ln -s /proc/self/fd "$1/dev/fd" ;; *) ln -s "/proc/self/fd/\${link#*:}" "$1/dev/\${link%:*}" ;; esac
done
mkdir -m 1777 "$1/dev/shm"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs "$1/dev/shm"
`

/** What a build step may know of the machine it runs on, so that npm works there as it does here; no image keeps any of it. */
export interface Host {
  /** Folder that a step sees as /run/host. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Gathers the way to the package registry: npm's user configuration, its registry, proxies and certificates.
 * @param folder an empty folder outside of every image
 * @param env the environment of this process
 */
export function readHost(folder: string, env: Readonly<Record<string, string | undefined>>): Host {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && /^(npm_config_|(https?|no|all)_proxy$)/i.test(name)) passed[name] = value
  }
  passed['npm_config_registry'] ??= exec('npm', ['config', 'get', 'registry'], { cwd: folder }).trim()
  const user = env['npm_config_userconfig'] ?? join(env['HOME'] ?? '/root', '.npmrc')
  if (existsSync(user)) copyFileSync(user, join(folder, 'npmrc'))
  else writeFileSync(join(folder, 'npmrc'), '')
  passed['npm_config_userconfig'] = '/run/host/npmrc'
  const authorities = [env['NODE_EXTRA_CA_CERTS'], env['SSL_CERT_FILE'], '/etc/ssl/certs/ca-certificates.crt']
  const found = authorities.find((file) => file !== undefined && existsSync(file))
  if (found !== undefined) {
    copyFileSync(found, join(folder, 'ca.crt'))
    passed['NODE_EXTRA_CA_CERTS'] = passed['npm_config_cafile'] = '/run/host/ca.crt'
  }
  return { folder, env: passed }
}
