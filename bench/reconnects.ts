// Whether a client grows that connects to its chain again and again: node bench/reconnects.ts [reconnections] [upgrades].
// A client in a process of its own follows final heads of a chain in another process over two ways, one of which is cut whenever the
// last read was answered; and the same client while the chain's code changes. Memory after a collection of garbage.

import { startRealChain } from '../test/e2e/support/real-chain.ts'
import { reconnect, upgrade } from '../test/e2e/support/reconnecting.ts'
import { writeResult } from './write.ts'

const [times = '1000', upgrades = '40'] = process.argv.slice(2)
const MB = 2 ** 20
const rows: { what: string; unit: string; runs: Record<string, number[]> }[] = []
const row = (what: string, unit: string, value: number): void =>
  void rows.push({ what, unit, runs: { client: [Number(value.toFixed(1))] } })

const chain = await startRealChain()
try {
  const { held, link } = await reconnect(chain.url, Number(times))
  for (const { after, rssBytes, heapBytes, files } of held.filter(
    ({ after }) => (after * 10) % (2 * Number(times)) === 0,
  )) {
    row(`resident after ${after} reconnections`, 'MB', rssBytes / MB)
    row(`heap after ${after} reconnections`, 'MB', heapBytes / MB)
    row(`open files after ${after} reconnections`, 'files', files)
  }
  row('reconnections to the other address', 'of them', link.failovers)
} finally {
  await chain.stop()
}
const { held } = await upgrade(Number(upgrades))
for (const { after, rssBytes, heapBytes } of held.filter(({ after }) => (after * 10) % (2 * Number(upgrades)) === 0)) {
  row(`resident after ${after} upgrades of the chain’s code`, 'MB', rssBytes / MB)
  row(`heap after ${after} upgrades of the chain’s code`, 'MB', heapBytes / MB)
}
writeResult('reconnects', rows)
