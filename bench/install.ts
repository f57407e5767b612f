// From a clone to the first weights on the chain, as a new user would: node bench/install.ts [runs]. Needs the npm registry.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeResult } from './write.ts'

const checkout = fileURLToPath(new URL('..', import.meta.url))
const runs = Number(process.argv[2] ?? 3)

interface Timed {
  readonly wall: number
  readonly cpu: number
  readonly stdout: string
}

/** Runs a command with an empty HOME and a cold npm cache; seconds of wall and of CPU, children included. */
function timed(cwd: string, home: string, command: string): Timed {
  // the shell's own `times` prints the CPU of everything that it waited for
  const script = `${command}; code=$?; times >"${home}/times"; exit $code`
  const started = performance.now()
  const done = spawnSync('bash', ['-c', script], {
    cwd,
    env: { ...bare(), HOME: home },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (done.status !== 0) throw new Error(`${command} failed in ${cwd}:\n${done.stderr.slice(-4_000)}`)
  return {
    wall: (performance.now() - started) / 1_000,
    cpu: cpuSeconds(readFileSync(join(home, 'times'), 'utf8')),
    stdout: done.stdout,
  }
}

const bare = (): NodeJS.ProcessEnv => ({
  PATH: (process.env.PATH ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
    .join(':'),
})

/** The second line of `times` is the children's: user, system. */
const cpuSeconds = (times: string): number =>
  [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60 + Number(s),
    0,
  )

const megabytes = (folder: string): number =>
  Number(execFileSync('du', ['-sm', folder], { encoding: 'utf8' }).split('\t')[0])
const packages = (folder: string): number =>
  Object.keys(
    (JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as { packages: object })
      .packages,
  ).length

const series: Record<string, number[]> = {}
const note = (what: string, value: number): void => {
  series[what] = [...(series[what] ?? []), Number(value.toFixed(2))]
}

for (let run = 0; run < runs; run += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-install-'))
  const home = join(folder, 'home')
  mkdirSync(home)
  execFileSync('git', ['clone', '--quiet', checkout, join(folder, 'arbor')])
  const clone = join(folder, 'arbor')
  const install = timed(clone, home, 'npm ci')
  note('`npm ci`|s wall', install.wall)
  note('`npm ci`|s CPU', install.cpu)
  note('installed|packages', packages(clone))
  note('installed|MB', megabytes(join(clone, 'node_modules')))
  const up = timed(clone, home, 'npm start --silent -- --epochs 1 --json')
  const report = JSON.parse(up.stdout) as { secondsToFirstWeights: number }
  note('`npm start` to first weights read back|s wall', report.secondsToFirstWeights)
  note('`npm ci && npm start` to first weights read back|s wall', install.wall + report.secondsToFirstWeights)
  note('`npm start` over one epoch with weights|s CPU', up.cpu)
  for (const workspace of ['miner', 'validator']) {
    execFileSync('rm', ['-rf', join(clone, 'node_modules')])
    const part = timed(clone, home, `npm ci --omit=dev -w @arbor/${workspace}`)
    note(`the ${workspace}'s install alone|s wall`, part.wall)
    note(`the ${workspace}'s install alone|MB`, megabytes(join(clone, 'node_modules')))
  }
  rmSync(folder, { recursive: true, force: true })
}

writeResult(
  'install',
  Object.entries(series).map(([key, values]) => {
    const [what = key, unit = ''] = key.split('|')
    return { what, unit, runs: { Arbor: values } }
  }),
)
