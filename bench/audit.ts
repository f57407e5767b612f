// What an audit costs beside the validator whose row it computes again: node bench/audit.ts [epochs] [sizes,…] [runs]
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connectChain } from '@arbor/chain/client/connect'
import type { Metagraph } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import { encodeSs58 } from '@arbor/shared/ss58'
import { type Block, netUid, type Ss58 } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import { audit, verdictOf } from '@arbor/validator/auditor/audit'
import { openLogHttp } from '@arbor/validator/auditor/http'
import { openServedLog, type ServedLog } from '@arbor/validator/auditor/served-log'
import {
  NETUID,
  neuron,
  type Served,
  serveEntries,
  TEMPO,
  type ToldChain,
  toldChain,
  VALIDATOR,
  writeLog,
} from '../validator/test/auditor/written.ts'
import type { Result } from './report.ts'
import { writeResult } from './write.ts'

const [epochs = '4', sizes = '256,4096', runs = '3'] = process.argv.slice(2)
const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))
const spec = await loadSpec('inference')
const rows = new Map<string, { what: string; unit: string; runs: { Arbor: number[] } }>()
const note = (what: string, unit: string, value: number): void => {
  const row = rows.get(what) ?? { what, unit, runs: { Arbor: [] } }
  rows.set(what, row)
  row.runs.Arbor.push(Number(value.toPrecision(3)))
}

/** CPU milliseconds of this process that a work takes. */
async function cpuOf<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const before = process.cpuUsage()
  const value = await work()
  const { user, system } = process.cpuUsage(before)
  return { ms: (user + system) / 1_000, value }
}

/** CPU milliseconds of a process and all below it, so far. */
function treeMs(root: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) // ended children too
        return [{ pid: Number(name), parent: Number(fields[1]), ms: 10 * ticks }]
      } catch {
        return [] // it has ended
      }
    })
  const below = (pid: number): number =>
    all.filter(({ parent }) => parent === pid).reduce((sum, child) => sum + child.ms + below(child.pid), 0)
  return (all.find(({ pid }) => pid === root)?.ms ?? 0) + below(root)
}

/** Finds the validator of a local net by its command line. */
const validatorOf = (data: string): number =>
  Number(
    readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        return words.includes('validator') && words.some((word) => word.startsWith(data))
      } catch {
        return false
      }
    }),
  )

async function withHttp<T>(body: (open: (url: string) => ServedLog) => Promise<T>): Promise<T> {
  const opened: ReturnType<typeof openLogHttp>[] = []
  try {
    return await body((url) => {
      const http = openLogHttp({ url, privateAllowed: true, clock: systemClock })
      opened.push(http)
      return openServedLog(http)
    })
  } finally {
    await Promise.all(opened.map((http) => http.close()))
  }
}

/** A real net: what a validator of four miners takes in an epoch, and its audit. */
async function live(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'arbor-bench-audit-'))
  const words = ['up', '--data', data, '--validators', '1', '--miners', '3', '--block-time', '1s']
  const net: ChildProcess = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = new AbortController()
  try {
    let url = ''
    for await (const line of createInterface({ input: net.stdout as NodeJS.ReadableStream })) {
      url = /\((ws:\/\/[^)]+)\)/.exec(line)?.[1] ?? url
      if (line.includes('holds weights')) break
    }
    net.stdout?.resume()
    const chain = await connectChain({ url, signal: stop.signal, clock: systemClock })
    const netuid = netUid(1)
    const until = async (epoch: number): Promise<Metagraph> => {
      for await (const { hash } of chain.heads('finalized', stop.signal)) {
        const metagraph = await chain.metagraph(netuid, hash)
        if (metagraph.epochIndex >= epoch) return metagraph
      }
      throw new Error('the chain ended')
    }
    const start = (await chain.metagraph(netuid)).epochIndex + 1
    const { neurons } = await until(start)
    const validator = neurons.find(
      ({ axon, validatorPermit, lastUpdate }) => axon === null && validatorPermit && lastUpdate > 0,
    )
    if (validator === undefined) throw new Error('the net has no validator')
    const pid = validatorOf(data)
    const from = treeMs(pid)
    const last = await until(start + Number(epochs))
    const perEpoch = (treeMs(pid) - from) / (last.epochIndex - start)
    note('4 miners: the validator, an epoch', 'CPU ms', perEpoch)
    await until(last.epochIndex + 1)
    const one = (epoch: number) =>
      withHttp((open) => audit({ chain, netuid, spec, open }, { validator: validator.hotkey, epoch }, stop.signal))
    await one(start) // what V8 compiles once is no part of a row
    for (let epoch = start; epoch < last.epochIndex; epoch += 1) {
      const { ms, value } = await cpuOf(() => one(epoch))
      if (verdictOf(value) !== 'equal') throw new Error(`epoch ${epoch}: ${JSON.stringify(value.mismatch)}`)
      note('4 miners: its audit, in a process that runs', 'CPU ms', ms)
      note('4 miners: audit ÷ validator', 'ratio', ms / perEpoch)
    }
    const command = `TIMEFORMAT='%U %S'; time "$0" "$1" audit --network ${url} --validator ${validator.hotkey} --json >/dev/null`
    for (let run = 0; run < Number(runs); run += 1) {
      const { stderr } = spawnSync('bash', ['-c', command, process.execPath, main], { encoding: 'utf8' })
      const [user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
      note('4 miners: `arbor audit`, from start to end', 'CPU ms', 1_000 * (user + system))
    }
    await chain.close()
  } finally {
    stop.abort()
    net.kill('SIGINT')
    await new Promise((resolve) => net.once('exit', resolve))
    rmSync(data, { recursive: true, force: true })
  }
}

/** Epochs of the logs from memory; rows of the last but three are audited. */
const EPOCHS = 6

/** A log of many miners, from memory: what does not depend on who judges. */
async function many(count: number): Promise<void> {
  const hotkeys = Array.from({ length: count }, (_, index) => encodeSs58(hash('sha256', `miner ${index}`, 'buffer')))
  const miners = hotkeys.map((key, index) => neuron(index + 1, key))
  const chain: ToldChain = toldChain((block) => {
    const newest = block % TEMPO >= 15 ? block : block - TEMPO // rows are included 15 blocks after an epoch's first
    const lastUpdate = Math.max(0, newest - (newest % TEMPO) + 15) as Block
    return [neuron(0, VALIDATOR.address, { axon: null, lastUpdate }), ...miners]
  })
  const log = writeLog({ chain, spec, signer: VALIDATOR })
  const outcome = (hotkey: Ss58) => ({ reason: 'ok', value: hotkey.charCodeAt(9) % 2 === 0 ? 1 : 0.5 })
  log.begin(1)
  for (let epoch = 1; epoch <= EPOCHS; epoch += 1) {
    const first = epoch * TEMPO
    log.round({ at: first, outcome })
    log.begin(first + 4)
    log.round({ at: first + 10, outcome })
    log.row({ at: first + 14, includedAt: first + 15 })
  }
  chain.head = ((EPOCHS + 1) * TEMPO + 5) as Block
  const served: Served = serveEntries(log.entries, { signer: VALIDATOR, block: 80 })
  const whole = { ...served, page: async (where: { from: number } | { state: Block }) => pageOf(served, where) }
  const of = { validator: VALIDATOR.address, epoch: EPOCHS - 3, url: served.url }
  const one = () =>
    audit({ chain: chain.client, netuid: NETUID, spec, open: () => whole }, of, new AbortController().signal)
  await one()
  for (let run = 0; run < Number(runs); run += 1) {
    const { ms, value } = await cpuOf(one)
    if (verdictOf(value) !== 'equal') throw new Error(JSON.stringify(value.mismatch))
    const verdicts = value.replayed?.counts.verdict ?? 1
    note(`${count} miners: the audit of a row`, 'CPU ms', ms)
    note(`${count} miners: a verdict of it, ${verdicts} in all`, 'CPU ms', ms / verdicts)
    const checks = 2 * count * checkMs()
    note(`${count} miners: audit ÷ the checks of the row's epoch alone`, 'ratio', ms / checks)
    const asking = 2 * count * askMs(`${count} miners`)
    note(`${count} miners: audit ÷ asking and checking in the row's epoch`, 'ratio', ms / (checks + asking))
  }
}

async function pageOf(served: Served, where: { from: number } | { state: Block }) {
  const { from } = 'from' in where ? where : await served.page(where, new AbortController().signal)
  return { from, entries: served.texts.slice(from, from + 700) }
}

/** The lowest run of a row that was measured by another benchmark. */
function lowest(file: string, what: string, arm: string): number {
  const { rows: measured } = JSON.parse(
    readFileSync(new URL(`./results/${file}.json`, import.meta.url), 'utf8'),
  ) as Result
  return Math.min(...(measured.find((row) => row.what === what)?.runs[arm] ?? []))
}

/** CPU of one check by arbor-2m, and of what else a round takes a miner. */
const checkMs = (): number => lowest('verification', 'arbor-2m fp32, 128 tokens: check', 'Arbor')
const askMs = (arm: string): number => lowest('rounds', 'a miner', arm)

for (const size of sizes.split(',').filter(Boolean).map(Number)) await many(size)
if (Number(epochs) > 0) await live()
writeResult(
  'audit',
  [...rows.values()],
  [
    'With four miners most of an audit is reading the chain, which does not grow with the work: the goal is missed there. With many, a check by arbor-2m, the smallest model, is taken as the cheapest run of “What checking costs”, asking as that of “A round of a whole subnet”; by SmolLM2 a check costs 37 times as much.',
  ],
)
