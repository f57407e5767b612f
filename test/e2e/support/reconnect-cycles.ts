import { readdirSync } from 'node:fs'
import process from 'node:process'
import { connectChain } from '@arbor/chain/client/connect'
import { systemClock } from '@arbor/shared/clock'
import type { NetUid } from '@arbor/shared/units'

// One client that its parent disturbs: asks it to cut (or to change the chain's code), goes on until a read was answered over the new
// connection, and tells memory (garbage collected) and open files after each tenth of so many times.
const [times = '100', what = 'cut', ...urls] = process.argv.slice(2)
const heads = { seen: 0 }
const stop = new AbortController()
const chain = await connectChain({
  url: urls,
  signal: stop.signal,
  clock: systemClock,
  limits: { backoffMs: 20, shunMs: 20 },
})
const following = (async () => {
  for await (const _ of chain.heads('finalized', stop.signal)) heads.seen += 1
})().catch(() => {})
const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const disturb = async (): Promise<void> => {
  const { connections } = chain.link()
  const { specVersion } = chain
  process.send?.({ what, endpoint: chain.link().endpoint })
  while (what === 'cut' ? chain.link().connections === connections : chain.specVersion === specVersion) await turn(1)
  await chain.finalized()
  if (what === 'cut') await chain.metagraph(1 as NetUid)
}
for (let run = 0; run <= Number(times); run += 1) {
  if (run > 0) await disturb()
  if (run % (Number(times) / 10) !== 0) continue
  await turn(20)
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  process.send?.({ after: run, heapBytes: heapUsed, rssBytes: rss, files: readdirSync('/proc/self/fd').length })
}
process.send?.({ end: true, link: chain.link(), heads: heads.seen })
stop.abort()
await following
await chain.close()
process.disconnect()
