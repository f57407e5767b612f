// Reads a metagraph at one block after another, and prints what each read took: node metagraph-client.ts URL NETUID READS.
import process from 'node:process'
import { connectChain } from '../../chain/src/client/connect.ts'
import { systemClock } from '../../shared/src/clock.ts'
import type { NetUid } from '../../shared/src/units.ts'

const [url = '', netuid = '', reads = ''] = process.argv.slice(2)
const { signal } = new AbortController()
const chain = await connectChain({ url, signal, clock: systemClock })
const runs: { wallMs: number; cpuMs: number; rssMb: number; uids: number }[] = []
for (let read = 0; read < Number(reads); read += 1) {
  const { number } = await chain.finalized()
  process.send?.('next block')
  let head = await chain.finalized()
  while (head.number === number) head = await chain.finalized()
  const [wall, cpu] = [performance.now(), process.cpuUsage()]
  const { neurons } = await chain.metagraph(Number(netuid) as NetUid, head.hash)
  const { user, system } = process.cpuUsage(cpu)
  globalThis.gc?.()
  const rssMb = process.memoryUsage().rss / 2 ** 20
  runs.push({ wallMs: performance.now() - wall, cpuMs: (user + system) / 1_000, rssMb, uids: neurons.length })
}
process.send?.({ runs })
await chain.close()
process.disconnect()
