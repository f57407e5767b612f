// What reading a whole metagraph at each block takes: node bench/metagraph.ts [reads]. The chain node is a scripted one in another
// process that has every item in memory, so that the figures are the client's; a block changes eight stakes and one registration.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { account, furnish, netuid, put, type State, subnetOf } from '../chain/test/support/subnet-state.ts'
import { startScriptedChain } from '../test/e2e/support/scripted-chain.ts'
import { writeResult } from './write.ts'

const reads = process.argv[2] ?? '8'
type Run = { readonly wallMs: number; readonly cpuMs: number; readonly rssMb: number; readonly uids: number }
const rows: { what: string; unit: string; runs: Record<string, number[]> }[] = []

for (const uids of [256, 4_096]) {
  const chain = await startScriptedChain()
  const state = chain.state as State
  for (const [key, value] of subnetOf(uids)) state.set(key, value)
  for (let uid = 0; uid < uids; uid += 1) furnish(state, account(uid + 1), 1_000 + uid)
  let block = 0
  const nextBlock = (): void => {
    block += 1
    for (let change = 0; change < 8; change += 1)
      furnish(state, account(((block * 8 + change) % uids) + 1), block * 10_000)
    put(state, block % uids, account(100_000 + block))
    chain.addBlock()
  }
  const file = fileURLToPath(new URL('./workers/metagraph-client.ts', import.meta.url))
  const child = fork(file, [chain.url, String(netuid), reads], {
    execArgv: ['--expose-gc', '--max-semi-space-size=4'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let runs: readonly Run[] = []
  child.on('message', (message: 'next block' | { runs: readonly Run[] }) => {
    if (message === 'next block') nextBlock()
    else runs = message.runs
  })
  await once(child, 'exit')
  await chain.close()
  if (runs.length !== Number(reads) || runs.some((run) => run.uids !== uids)) throw new Error('the client ended early')
  const [first, ...rest] = runs
  const row = (what: string, unit: string, of: (run: Run) => number): void => {
    const round = (run: Run): number => Number(of(run).toFixed(1))
    rows.push({
      what: `${what}, ${uids.toLocaleString('en').replaceAll(',', ' ')} uids`,
      unit,
      runs: { 'first read': first === undefined ? [] : [round(first)], 'each later block': rest.map(round) },
    })
  }
  row('CPU of the client', 'ms', ({ cpuMs }) => cpuMs)
  row('wall', 'ms', ({ wallMs }) => wallMs)
  row('resident afterwards', 'MB', ({ rssMb }) => rssMb)
}
writeResult('metagraph', rows)
