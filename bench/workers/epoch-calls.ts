import { epochInput, leastAnswerBytes } from './epoch-input.ts'
import { cpuMs } from './history-report.ts'

/** Calls `YumaRuntimeApi_run_epoch` as often as the command line says, and prints the CPU milliseconds of each call. */
export async function measureCalls(call: (method: string, args: Uint8Array) => Promise<number>): Promise<void> {
  const [, uids = 0, validators = 0, calls = 0] = process.argv.slice(2).map(Number)
  const size = { uids, validators }
  const args = epochInput(size)
  const spent: number[] = []
  for (let index = 0; index < calls; index += 1) {
    const before = cpuMs()
    const length = await call('YumaRuntimeApi_run_epoch', args)
    spent.push(cpuMs() - before)
    if (length < leastAnswerBytes(size)) throw new Error(`the epoch answered ${length} bytes, so it did not pay`)
  }
  console.log(JSON.stringify(spent))
}
