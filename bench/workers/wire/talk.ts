import { createInterface } from 'node:readline'

/** One measurement that an asker carries out. */
export interface Job {
  /** Where the server is reached: each address counts as an endpoint of its own. */
  readonly addresses: readonly string[]
  readonly requests: number
  /** Bytes of text in the question, and again in the answer. */
  readonly bytes: number
  readonly concurrency: number
}

/** Prints one line for bench/wire.ts. */
export const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

/** Asks until stdin ends: for each job `ask` is called that often, so many at once; true when the answer was right. */
export async function runJobs(ask: (of: { address: string; text: string }) => Promise<boolean>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const job = JSON.parse(line) as Job
    const text = 'x'.repeat(job.bytes)
    let next = 0
    let failed = 0
    const worker = async (): Promise<void> => {
      while (next < job.requests) {
        const address = job.addresses[next++ % job.addresses.length] ?? ''
        if (!(await ask({ address, text }))) failed += 1
      }
    }
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: job.concurrency }, worker))
    say({ failed, wallMs: performance.now() - startedAt, rss: process.memoryUsage.rss() })
  }
}
