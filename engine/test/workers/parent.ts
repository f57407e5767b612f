import { startContained } from '../../src/contained/start.ts'
import type { TroubleJob } from './trouble.ts'

/** Starts contained jobs, runs one that waits, and prints the child's process id. */
const { run, stats } = startContained<TroubleJob, unknown, number>({
  worker: new URL('./trouble.ts', import.meta.url),
  workerData: { greeting: 'hello' },
  threads: 1,
  maxQueue: 1,
  log: { info: () => undefined, warn: () => undefined },
  signal: new AbortController().signal,
})
await run({ kind: 'wait' }, { onProgress: () => process.stdout.write(`${stats().pid}\n`) })
