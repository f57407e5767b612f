import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Image } from './build.ts'
import type { Mount, Service } from './compose.ts'
import { exec, SYSTEM_MOUNTS } from './host.ts'

/** A network of its own that the containers share, as Compose makes one. */
export interface Network {
  /** Process that holds the bridge. */
  readonly hub: number
  /** Address of each service, for /etc/hosts: it stands for the engine's name server. */
  readonly hosts: string
}

/** A running container. */
export interface Container {
  readonly service: Service
  readonly log: string
  /** Resolves with the exit code. */
  readonly ended: Promise<number>
  isRunning(): boolean
  /** Runs a command inside, as the image's user. @returns its exit code and output */
  inside(command: readonly string[]): { readonly code: number | null; readonly output: string }
  /** Sends SIGTERM, and SIGKILL when the grace period is over. @returns what it came to */
  stop(): Promise<{ readonly seconds: number; readonly code: number | null; readonly killed: boolean }>
}

export interface StartOptions {
  readonly service: Service
  readonly image: Image
  readonly network: Network
  /** Folder of the compose file; paths in it start here. */
  readonly composeFolder: string
  readonly work: string
}

/** Makes the network. @param hub process whose network namespace becomes the bridge's */
export function makeNetwork(
  hub: number,
  of: { readonly services: readonly Service[]; readonly subnet: string },
): Network {
  const gateway = of.subnet.replace(/0\/24$/, '1/24')
  exec('nsenter', [
    '-t',
    String(hub),
    '-n',
    'sh',
    '-ec',
    `
ip link set lo up
ip link add br0 type bridge
ip address add ${gateway} dev br0
ip link set br0 up`,
  ])
  const names = of.services.map(({ address, name }) => `${address} ${name}`)
  return { hub, hosts: ['127.0.0.1 localhost', ...names, ''].join('\n') }
}

/** $1 root of the image, $2 folder of the container, $3 read-only or not, then mounts as source target mode, `--`, the command. */
const START = `
set -eu
read -r connected
exec </dev/null
image=$1 own=$2 mode=$3
shift 3
root=$own/root
mount -t overlay overlay -o "volatile,lowerdir=$image,upperdir=$own/upper,workdir=$own/overlay" "$root"
${SYSTEM_MOUNTS.replaceAll('"$1/', '"$root/')}
mount --bind "$own/hosts" "$root/etc/hosts"
while [ "$1" != -- ]; do
  mkdir -p "$root$2"
  case $3 in
    tmpfs) mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs "$root$2" ;;
    *) mount --bind "$1" "$root$2"; mount -o "remount,bind,$3" "$root$2" ;;
  esac
  shift 3
done
shift
[ "$mode" = rw ] || mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"`

/** Starts a container: own mounts, processes and network, the image's user, no capability, and a read-only root if the service says so. */
export async function startContainer({
  service,
  image,
  network,
  composeFolder,
  work,
}: StartOptions): Promise<Container> {
  const own = join(work, 'containers', service.name)
  for (const folder of ['root', 'upper', 'overlay']) mkdirSync(join(own, folder), { recursive: true })
  exec('sh', ['-c', 'printf %s "$1" >"$2"', 'hosts', network.hosts, join(own, 'hosts')])
  const taken = new Set(service.mounts.map(({ target }) => target))
  const anonymous = image.volumes.filter((target) => !taken.has(target))
  const mounts = [
    ...service.mounts,
    ...anonymous.map(
      (target): Mount => ({
        source: `${service.name}-anonymous${target.replaceAll('/', '-')}`,
        target,
        readOnly: false,
        subpath: null,
      }),
    ),
  ].flatMap((mount) => [sourceOf(mount, { image, composeFolder, work }), mount.target, mount.readOnly ? 'ro' : 'rw'])
  const tmpfs = service.tmpfs.flatMap((target) => ['tmpfs', target, 'tmpfs'])
  const as = asUser(image)
  const words = [...image.entrypoint, ...(service.command ?? image.cmd)]
  const isolated = ['--net', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child']
  const script = [
    'sh',
    '-c',
    START,
    'start',
    image.root,
    own,
    service.readOnly ? 'ro' : 'rw',
    ...tmpfs,
    ...mounts,
    '--',
  ]
  const child = spawn('unshare', [...isolated, ...script, ...as, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
  const log = join(own, 'log')
  const written = createWriteStream(log)
  child.stdout.pipe(written, { end: false })
  child.stderr.pipe(written, { end: false })
  const ended = once(child, 'exit').then(([code]) => (code === null ? 128 : Number(code)))
  const first = await firstProcess(child)
  connect({ first, network, address: service.address, link: `v${first}` })
  child.stdin.end('\n')
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    service,
    log,
    ended,
    isRunning,
    inside: (command) => {
      const enter = ['-t', String(first), '--mount', '--net', '--pid', '--root', '--wd']
      const { status, stdout, stderr } = spawnSync('nsenter', [...enter, ...as, ...command], { encoding: 'utf8' })
      return { code: status, output: `${stdout}${stderr}`.trim() }
    },
    stop: () => stop({ child, first, ended, isRunning, graceS: service.graceS }),
  }
}

/** Drops to the image's user with nothing but its environment: no capability, and none to be had through set-uid files. */
function asUser(image: Image): readonly string[] {
  const line = readFileSync(join(image.root, 'etc/passwd'), 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${image.user}:`))
  const [, , uid, gid, , home] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`the image has no user ${image.user}`)
  const env = Object.entries({ ...image.env, HOME: home ?? '/' }).map(([name, value]) => `${name}=${value}`)
  const drop = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']
  const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...drop]
  return ['env', '-i', '-C', image.folder, ...env, ...become]
}

/** Finds a mount's source. A named volume is made when it is first used, with the content, owner and mode that the image has there. */
function sourceOf(
  { source, target, subpath }: Mount,
  { image, composeFolder, work }: { readonly image: Image; readonly composeFolder: string; readonly work: string },
): string {
  if (/^[./]/.test(source)) return resolve(composeFolder, source)
  const volume = join(work, 'volumes', source)
  if (subpath !== null) {
    if (!existsSync(join(volume, subpath))) throw new Error(`volume ${source} has no folder ${subpath}`) // as the engine says
    return join(volume, subpath)
  }
  if (existsSync(volume)) return volume
  mkdirSync(join(work, 'volumes'), { recursive: true })
  const there = join(image.root, target)
  if (existsSync(there)) exec('cp', ['-a', there, volume])
  else mkdirSync(volume) // root's, as the engine leaves it
  return volume
}

/** Waits for the process that `unshare` starts; it has the process number 1 inside. */
async function firstProcess({ pid }: ChildProcess): Promise<number> {
  for (let tries = 0; tries < 500; tries += 1) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    if (child !== undefined && child !== '') return Number(child)
    await new Promise((done) => setTimeout(done, 10))
  }
  throw new Error(`unshare (process ${pid}) started nothing`)
}

function connect(of: {
  readonly first: number
  readonly network: Network
  readonly address: string
  readonly link: string
}): void {
  const { first, network, address, link } = of
  exec('nsenter', [
    '-t',
    String(network.hub),
    '-n',
    'sh',
    '-ec',
    `
ip link add ${link} type veth peer name eth0 netns ${first}
ip link set ${link} master br0 up`,
  ])
  exec('nsenter', [
    '-t',
    String(first),
    '-n',
    'sh',
    '-ec',
    `
ip link set lo up
ip address add ${address}/24 dev eth0
ip link set eth0 up`,
  ])
}

async function stop(of: {
  readonly child: ChildProcess
  readonly first: number
  readonly ended: Promise<number>
  readonly graceS: number
  isRunning(): boolean
}): Promise<{ seconds: number; code: number | null; killed: boolean }> {
  const start = performance.now()
  const seconds = (): number => (performance.now() - start) / 1_000
  if (!of.isRunning()) return { seconds: 0, code: of.child.exitCode, killed: false }
  process.kill(of.first, 'SIGTERM')
  const grace = new AbortController()
  const late = new Promise<'late'>((done) => {
    const timer = setTimeout(() => done('late'), of.graceS * 1_000)
    grace.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  const outcome = await Promise.race([of.ended, late])
  grace.abort()
  if (outcome !== 'late') return { seconds: seconds(), code: outcome, killed: false }
  of.child.kill('SIGKILL')
  await of.ended
  return { seconds: seconds(), code: null, killed: true }
}
