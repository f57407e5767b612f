import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { connectChain } from '@arbor/chain/client/connect'
import { systemClock } from '@arbor/shared/clock'

// Connects and closes N times; prints heap and memory after each tenth (garbage collected) and what still keeps the process alive.
const [url = '', times = '200'] = process.argv.slice(2)
const report = { heapMb: [] as number[], rssMb: [] as number[], handles: [] as string[] }
const { signal } = new AbortController()
for (let run = 1; run <= Number(times); run += 1) {
  const chain = await connectChain({ url, signal, clock: systemClock })
  await chain.best()
  await chain.close()
  if (run % (Number(times) / 10) !== 0) continue
  await wait(20)
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  report.heapMb.push(Math.round(heapUsed / 1e5) / 10)
  report.rssMb.push(Math.round(rss / 1e6))
}
report.handles = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|WebSocket/.test(name))
process.stdout.write(JSON.stringify(report))
