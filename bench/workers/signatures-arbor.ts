// Both arms of bench/signatures.ts: 500 transfers arrive, and the event loop is watched while they are checked.
//   node bench/workers/signatures-arbor.ts thread|main
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '@arbor/shared/clock'
import type { Validity } from '../../chain/src/embedded/types.ts'
import { ALICE, BOB, createSigner, startTestChain } from '../../chain/test/support/embedded.ts'
import { cpuMs } from './history-report.ts'

const TRANSFERS = 500
/** Compiles what is hot; the measured ones are others, since a signature that was checked is remembered. */
const WARM_UP = 100
/** Milliseconds between two looks of the watch. */
const RESOLUTION_MS = 1

const { chain } = await startTestChain({ clock: systemClock })
const { sign } = createSigner(chain)
const transfers = Array.from({ length: WARM_UP + TRANSFERS }, (_, nonce) =>
  sign(ALICE, nonce, 'balances', 'transferKeepAlive', BOB.address, 1_000_000n),
)
const inThread = process.argv[2] === 'thread'
/** On the main thread each check is a turn of the loop of its own, as for a server that reads one message after the other. */
const check = async (extrinsics: readonly Uint8Array[]): Promise<readonly Validity[]> => {
  const answers: Promise<Validity>[] = []
  for (const extrinsic of extrinsics) {
    answers.push(inThread ? chain.check(extrinsic) : Promise.resolve(chain.validate(extrinsic)))
    await setImmediate()
  }
  return Promise.all(answers)
}

await check(transfers.slice(0, WARM_UP))
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
const mainMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
const [cpu, main, wall] = [cpuMs(), mainMs(), performance.now()]
delay.enable()
const answers = await check(transfers.slice(WARM_UP))
delay.disable()
const used = { cpu: cpuMs() - cpu, main: mainMs() - main, wall: performance.now() - wall }
if (!answers.every(({ valid }) => valid)) throw new Error('a transfer was not valid')
await chain.close()
console.log(
  JSON.stringify([
    { what: `check ${TRANSFERS} transfers`, unit: 'wall ms', value: used.wall },
    { what: `check ${TRANSFERS} transfers`, unit: 'CPU ms, all threads', value: used.cpu },
    { what: `check ${TRANSFERS} transfers`, unit: 'CPU ms, main thread', value: used.main },
    { what: 'event loop late, median', unit: 'ms', value: delay.percentile(50) / 1e6 - RESOLUTION_MS },
    { what: 'event loop late, 99 of 100', unit: 'ms', value: delay.percentile(99) / 1e6 - RESOLUTION_MS },
    { what: 'event loop late, worst', unit: 'ms', value: delay.max / 1e6 - RESOLUTION_MS },
  ]),
)
