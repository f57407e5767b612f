import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { chainOf, type HealthCheck, type Stage, type Step } from './dockerfile.ts'
import { exec, type Host, SYSTEM_MOUNTS } from './host.ts'

/** A built image: a root and what its containers start with. */
export interface Image {
  readonly root: string
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly user: string
  readonly volumes: readonly string[]
  readonly ports: readonly number[]
  readonly health: HealthCheck | null
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
}

export interface BuildOptions {
  readonly stages: ReadonlyMap<string, Stage>
  /** The build context. */
  readonly context: string
  readonly ignored: (path: string) => boolean
  /** Root of the image in the first FROM. */
  readonly base: string
  readonly work: string
  readonly host: Host
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Makes the builder of one Dockerfile; a stage that several targets share is built once. */
export function createBuilder(options: BuildOptions): (target: string) => Image {
  const built = new Map<string, Image>()
  const build = (target: string): Image => {
    const known = built.get(target)
    if (known !== undefined) return known
    const [stage, parent] = [...chainOf(options.stages, target)].reverse()
    if (stage === undefined) throw new Error(`no stage ${target}`)
    const before = parent === undefined ? scratch(options.base) : build(parent.name)
    const root = join(options.work, `image-${target}`)
    exec('cp', ['-a', '--reflink=auto', before.root, root])
    const image = stage.steps.reduce((image, step) => carryOut(image, step, options), { ...before, root })
    built.set(target, image)
    return image
  }
  return build
}

const scratch = (root: string): Image => ({
  root,
  env: { PATH },
  folder: '/',
  user: 'root',
  volumes: [],
  ports: [],
  health: null,
  entrypoint: [],
  cmd: [],
})

/** Carries one step out. @returns the image with it */
function carryOut(image: Image, step: Step, options: BuildOptions): Image {
  switch (step.kind) {
    case 'env':
      return { ...image, env: { ...image.env, ...step.values } }
    case 'workdir':
      mkdirSync(join(image.root, step.folder), { recursive: true })
      return { ...image, folder: step.folder }
    case 'copy':
      for (const source of step.sources)
        copy({ source, target: step.target, many: step.sources.length > 1, image, options })
      return image
    case 'run':
      run(image, step.script, options.host)
      return image
    case 'user':
      return { ...image, user: step.name }
    case 'volume':
      return { ...image, volumes: [...image.volumes, ...step.folders] }
    case 'expose':
      return { ...image, ports: [...image.ports, step.port] }
    case 'health':
      return { ...image, health: step.check }
    case 'entrypoint':
      return { ...image, entrypoint: step.words, cmd: [] }
    case 'cmd':
      return { ...image, cmd: step.words }
  }
}

/** Copies as COPY does: a folder's content goes into the target, a file to it, or into it when it ends with a slash; root owns all. */
function copy(of: {
  readonly source: string
  readonly target: string
  readonly many: boolean
  readonly image: Image
  readonly options: BuildOptions
}): void {
  const { source, target, many, image, options } = of
  const from = join(options.context, source)
  if (!existsSync(from) || options.ignored(source))
    throw new Error(`COPY ${source}: the build context has no such path`)
  const into = join(image.root, resolve(image.folder, target))
  const isFolder = statSync(from).isDirectory()
  if (many && !/\/$/.test(target))
    throw new Error(`COPY of several sources needs a target that ends with a slash: ${target}`)
  if (isFolder && readdirSync(from).length === 0) throw new Error(`COPY ${source}: the folder is empty`)
  const to = !isFolder && /(^|\/)\.?\/?$/.test(target) ? join(into, basename(source)) : into
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !options.ignored(relative(options.context, path)),
  })
}

/** Runs a script in the image with this machine's network, as `docker build` does. */
function run(image: Image, script: string, host: Host): void {
  const inside = `${SYSTEM_MOUNTS}
mount -t tmpfs tmpfs "$1/run"
mkdir "$1/run/host"
mount --bind "$2" "$1/run/host"
for file in hosts resolv.conf; do mount --bind "/etc/$file" "$1/etc/$file"; done
root=$1
shift 2
exec chroot "$root" "$@"`
  const env = Object.entries({ ...image.env, HOME: '/root', ...host.env }).map(([name, value]) => `${name}=${value}`)
  const command = ['env', '-i', '-C', image.folder, ...env, '/bin/sh', '-c', script]
  if (image.user !== 'root') throw new Error(`RUN after USER ${image.user} is not rehearsed`)
  exec('unshare', [
    ...['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'],
    ...['sh', '-c', inside, 'run', image.root, host.folder, ...command],
  ])
}
