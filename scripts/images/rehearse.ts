// Carries out what scripts/rehearse-images says, in namespaces that it has made: build, start, wait, look, stop.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { baseRoot } from './base.ts'
import { createBuilder, type Image } from './build.ts'
import { readCompose, type Service } from './compose.ts'
import { type Container, makeNetwork, startContainer } from './container.ts'
import { parseDockerfile } from './dockerfile.ts'
import { exec, readHost } from './host.ts'
import { readIgnore } from './ignore.ts'

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: '' },
    cache: { type: 'string', default: '/var/cache/rehearse-images' },
    /** Every service of the compose file instead of one of each kind. */
    all: { type: 'boolean', default: false },
    'build-only': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const context = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(context, path), 'utf8')
const sleep = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1_000))
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)
const since = (start: number): string => ((performance.now() - start) / 1_000).toFixed(1)
const megabytes = (root: string): number => Number(exec('du', ['-sxm', root]).split('\t')[0])

const TARGETS = ['chain', 'miner', 'validator', 'gateway', 'setup']
const ONE_OF_EACH = ['chain', 'setup', 'miner-1', 'miner-4', 'validator-1', 'gateway']
/** How long the weights of the first rounds may take on a busy machine, in seconds. */
const WEIGHTS_S = 300

function buildAll(): { images: ReadonlyMap<string, Image>; lines: readonly object[] } {
  const stages = parseDockerfile(read('docker/Dockerfile'))
  const first = [...stages.values()].find(({ from }) => !stages.has(from))
  const version: string = JSON.parse(read('package.json')).dependencies.node
  const base = baseRoot({ image: first?.from ?? '', version, cache: values.cache, work: values.work })
  say(`base ${first?.from}: ${megabytes(base)} MB`)
  const folder = join(values.work, 'host')
  mkdirSync(folder)
  const host = readHost(folder, process.env)
  const build = createBuilder({
    stages,
    context,
    ignored: readIgnore(read('.dockerignore')),
    base,
    work: values.work,
    host,
  })
  const images = new Map<string, Image>()
  const lines = TARGETS.map((target) => {
    const start = performance.now()
    const image = build(target)
    images.set(target, image)
    const line = { image: `arbor-${target}`, MB: megabytes(image.root), 'build, s': since(start) }
    say(`built ${line.image}: ${line.MB} MB in ${line['build, s']} s`)
    return line
  })
  return { images, lines }
}

/** Waits until the image's own HEALTHCHECK passes inside. @returns seconds, or null when the image has none */
async function untilHealthy(container: Container, { health }: Image): Promise<string | null> {
  if (health === null) return null
  const start = performance.now()
  const limit = health.startPeriodS + 3 * health.intervalS + 60 // three retries, and a minute for a busy machine
  for (;;) {
    const { code, output } = container.inside(health.command)
    if (code === 0) return since(start)
    if (!container.isRunning()) throw new Error(`${container.service.name} ended:\n${tail(container)}`)
    if (Number(since(start)) > limit)
      throw new Error(`${container.service.name} is not healthy after ${limit} s: ${output}\n${tail(container)}`)
    await sleep(1)
  }
}

const tail = ({ log }: Container): string => readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n')

/** Tries from inside what a container must not be able to do, and what it must. */
function probe({ inside, service }: Container): readonly string[] {
  const can = (script: string): boolean => inside(['sh', '-c', script]).code === 0
  const wrong: string[] = []
  const must = (what: string, is: boolean): void => void (is || wrong.push(`${service.name}: ${what}`))
  must('runs as somebody else than 10001', can('[ "$(id -u)" = 10001 ]'))
  must(
    'has capabilities',
    can("grep -q '^CapBnd:\\s*0*$' /proc/self/status && grep -q '^CapEff:\\s*0*$' /proc/self/status"),
  )
  must('can write to its root', !can('touch /arbor/x || touch "$HOME/x" || touch /x'))
  must('cannot write to /tmp', can('touch /tmp/x && rm /tmp/x'))
  for (const { target, readOnly } of service.mounts)
    must(`${readOnly ? 'can' : 'cannot'} write to ${target}`, can(`touch ${target}/x && rm ${target}/x`) !== readOnly)
  must(
    'sees a coldkey',
    can('[ -z "$(find / -xdev -name coldkey 2>/dev/null; find /data /hotkeys -name coldkey 2>/dev/null)" ]'),
  )
  if (service.target !== 'chain')
    must('sees other hotkeys than its own', can('[ "$(find /hotkeys -path "*/hotkeys/default" | wc -l)" = 1 ]'))
  return wrong
}

interface WeightReport {
  readonly block: number
  readonly rows: Readonly<Record<string, readonly (readonly [string, number])[]>>
}

/** Waits until the chain's finalised head holds a row of each validator that pays the honest miners and not the cheat. */
async function untilWeights(of: {
  readonly hub: number
  readonly url: string
  /** Name of each hotkey. */
  readonly names: ReadonlyMap<string, string>
  readonly validators: readonly string[]
}): Promise<string> {
  const { hub, url, names, validators } = of
  const start = performance.now()
  const script = fileURLToPath(new URL('./read-weights.ts', import.meta.url))
  for (;;) {
    const report: WeightReport = JSON.parse(exec('nsenter', ['-t', String(hub), '-n', process.execPath, script, url]))
    const rows = Object.entries(report.rows).map(
      ([from, row]) =>
        [names.get(from) ?? from, new Map(row.map(([to, weight]) => [names.get(to) ?? to, weight]))] as const,
    )
    const fair = rows
      .filter(([, row]) => (row.get('miner-1') ?? 0) > 10 * (row.get('miner-4') ?? 0))
      .map(([name]) => name)
    const text = rows.map(([name, row]) => `${name}: ${[...row].map((pair) => pair.join(' ')).join(', ')}`).join('; ')
    if (validators.every((name) => fair.includes(name))) return `block ${report.block}, ${text} (${since(start)} s)`
    if (Number(since(start)) > WEIGHTS_S) throw new Error(`no such weights after ${WEIGHTS_S} s; ${text || 'none'}`)
    await sleep(3)
  }
}

async function run(images: ReadonlyMap<string, Image>): Promise<readonly object[]> {
  const { services: every, subnet } = readCompose(join(context, 'docker/compose.yaml'))
  const services = values.all ? every : every.filter(({ name }) => ONE_OF_EACH.includes(name))
  const hub = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
  await sleep(0.5)
  const network = makeNetwork(hub.pid ?? 0, { services: every, subnet })
  const imageOf = ({ name, target }: Service): Image => {
    const image = images.get(target)
    if (image === undefined) throw new Error(`compose: ${name} wants target ${target}, which is not built`)
    return image
  }
  const running: Container[] = []
  const healthy = new Map<string, string | null>()
  const names = new Map<string, string>()
  for (const service of services) {
    for (const { service: before, condition } of service.after) {
      const container = running.find(({ service: { name } }) => name === before)
      if (container === undefined)
        throw new Error(`compose: ${service.name} comes before ${before}, which it depends on`)
      if (condition === 'service_healthy' && !healthy.has(before))
        healthy.set(before, await untilHealthy(container, imageOf(container.service)))
      if (condition === 'service_completed_successfully' && (await container.ended) !== 0)
        throw new Error(`${before} failed:\n${tail(container)}`)
    }
    const image = imageOf(service)
    const container = await startContainer({
      service,
      image,
      network,
      composeFolder: dirname(join(context, 'docker/compose.yaml')),
      work: values.work,
    })
    say(`started ${service.name} at ${service.address}`)
    running.push(container)
  }
  const lasting = running.filter(({ service: { target } }) => target !== 'setup')
  await Promise.all(
    lasting.map(async ({ service: { name } }, i) => {
      const container = lasting[i]
      if (container !== undefined && !healthy.has(name))
        healthy.set(name, await untilHealthy(container, imageOf(container.service)))
      say(`${name} is healthy`)
    }),
  )
  const setup = running.find(({ service: { target } }) => target === 'setup')
  for (const line of setup === undefined ? [] : readFileSync(setup.log, 'utf8').split('\n')) {
    const [, name, hotkey] = /^([a-z]+-\d+) (5\w+)$/.exec(line) ?? []
    if (name !== undefined && hotkey !== undefined) names.set(hotkey, name)
  }
  const chain = services.find(({ target }) => target === 'chain')
  const validators = services.filter(({ target }) => target === 'validator').map(({ name }) => name)
  const weights = { hub: hub.pid ?? 0, url: `ws://${chain?.address}:9944`, names, validators }
  say(`weights: ${await untilWeights(weights)}`)
  const wrong = lasting.flatMap(probe)
  const lines: object[] = []
  for (const container of [...lasting].reverse()) {
    const { name } = container.service
    const { seconds, code, killed } = await container.stop()
    if (killed || code !== 0)
      wrong.push(`${name}: ${killed ? 'did not end in time' : `ended with ${code}`}:\n${tail(container)}`)
    lines.unshift({
      service: name,
      'healthy after, s': healthy.get(name) ?? 'no check',
      'stop, s': seconds.toFixed(1),
      exit: code,
    })
  }
  hub.kill()
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return lines
}

const { images, lines } = buildAll()
console.table(lines)
if (!values['build-only']) console.table(await run(images))
