// What a large ledger costs to open, check and back up, and what a verdict takes of it: node bench/state.ts [megabytes] [runs]
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backUp } from '../chain/src/store/backup.ts'
import { inspectStore } from '../chain/src/store/inspect.ts'
import { keypairFromUri } from '../shared/src/keys.ts'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid, UnixMs } from '../shared/src/units.ts'
import { type Ledger, openLedger } from '../validator/src/ledger.ts'
import { LEDGER } from '../validator/src/ledger-schema.ts'
import type { VerdictRow } from '../validator/src/rounds/verdict-row.ts'
import { checkData } from '../validator/src/state/check.ts'
import { writeResult } from './write.ts'

const [megabytes, runs] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 5)]
const MINERS = 256
const folder = mkdtempSync(join(tmpdir(), 'arbor-state-'))
const file = join(folder, 'ledger.sqlite')
const hex = (text: string): string => createHash('sha256').update(text).digest('hex')
const miners = Array.from({ length: MINERS }, (_, uid) => keypairFromUri(`//Miner${uid}`).address)
const owner = {
  genesisHash: `0x${hex('genesis')}` as Hex,
  netuid: 1 as NetUid,
  hotkey: keypairFromUri('//Validator').address,
}

const verdict = (round: number, uid: number): VerdictRow => ({
  hotkey: miners[uid] as Ss58,
  uid: uid as Uid,
  registeredAt: (1_000 + uid) as Block,
  round,
  roundBlock: (round * 180) as Block,
  task: 'chat',
  seed: `0x${hex(`seed ${round} ${uid}`)}`,
  repeat: 0,
  reason: 'ok',
  value: Number.parseInt(hex(`value ${round} ${uid}`).slice(0, 6), 16) / 2 ** 24,
  sigma: 0.01,
  totalMs: 812.25 + uid,
  checkMs: 12.5,
  prefilled: 80,
  signed: true,
  answerHash: `0x${hex(`answer ${round} ${uid}`)}`,
  drawnAt: (round * 180 + 9) as Block,
  receipt: hex(`receipt ${round} ${uid}`),
})

/** Records one round of 256 verdicts. */
const record = (ledger: Ledger, round: number): void => {
  const roundBlock = (round * 180) as Block
  const run = {
    roundBlock,
    blockHash: `0x${hex(`block ${round}`)}` as Hex,
    round,
    length: 180 as Blocks,
    tempo: 360 as Blocks,
    spec: 'inference 2 0x00',
    miners: MINERS,
  }
  const at = (1_790_000_000_000 + round * 2_160_000) as UnixMs
  ledger.beginRound({ ...run, state: 'planned', at })
  ledger.moveRound(roundBlock, { state: 'answered', after: (roundBlock + 8) as Block })
  const verdicts = miners.map((_, uid) => verdict(round, uid))
  const endedAt = (roundBlock + 10) as Block
  ledger.recordRound({ state: 'recorded', run, endedAt, at, verdicts, forfeits: [], terms: { halfLifeRounds: 8 } })
}

/** Milliseconds of CPU, of all threads. */
const time = async (body: () => unknown): Promise<number> => {
  const start = process.cpuUsage()
  await body()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}
const repeated = async (body: () => unknown): Promise<readonly number[]> => {
  const all: number[] = []
  for (let run = 0; run < runs; run += 1) all.push(Number((await time(body)).toFixed(1)))
  return all
}

const recording: number[] = []
let rounds = 0
{
  using ledger = openLedger({ file, owner, keptRounds: 1_000_000 })
  const spec = { name: 'inference', version: 1, model: `0x${hex('model')}` as Hex }
  ledger.log.begin({ terms: { ...owner, spec, block: 1 as Block }, state: ledger.scoreState })
  while (rounds < 3 || statSync(file).size < megabytes * 1_000_000) {
    rounds += 1
    recording.push(Number((await time(() => record(ledger, rounds))).toFixed(1)))
  }
}
const bytes = statSync(file).size
const opened = await repeated(() => openLedger({ file, owner }).close())
const page = await repeated(() => inspectStore({ file, kind: LEDGER, owner, depth: 'quick' }))
const whole = await repeated(() => inspectStore({ file, kind: LEDGER, owner, depth: 'whole' }))
const to = join(folder, 'copy.sqlite')
const backed = await repeated(() => backUp({ file, kind: LEDGER, to, replace: true }))
const checked = await repeated(() => checkData(folder))
rmSync(folder, { recursive: true, force: true })

const row = (what: string, unit: string, of: readonly number[]) => ({ what, unit, runs: { Arbor: of } })
writeResult(
  'state',
  [
    row('a verdict in the ledger, with its log entries', 'bytes', [Math.round(bytes / (rounds * MINERS))]),
    row('256 verdicts recorded', 'CPU ms', recording.slice(-20)),
    row('opening the ledger', 'CPU ms', opened),
    row('of that: every page read', 'CPU ms', page),
    row('every page read, and indexes compared', 'CPU ms', whole),
    row('backup', 'CPU ms', backed),
    row('`arbor validator check`', 'CPU ms', checked),
  ],
  [`The ledger had ${(bytes / 1e6).toFixed(0)} MB: ${rounds} rounds of ${MINERS} verdicts.`],
)
