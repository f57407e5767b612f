// Prints the weights of subnet 1 that a chain holds at its finalised head: node scripts/images/read-weights.ts URL

import { connectChain } from '../../chain/src/client/connect.ts'
import { systemClock } from '../../shared/src/clock.ts'
import { netUid } from '../../shared/src/units.ts'

const signal = AbortSignal.timeout(30_000)
const chain = await connectChain({ url: process.argv[2] ?? '', signal, clock: systemClock })
const netuid = netUid(1)
const { hash, number } = await chain.finalized()
const { neurons } = await chain.metagraph(netuid)
const rows = await Promise.all(
  neurons.map(async ({ uid, hotkey }) => {
    const row = await chain.weights(netuid, uid, hash)
    return [hotkey, row.map(([to, weight]) => [neurons.find((neuron) => neuron.uid === to)?.hotkey, weight])] as const
  }),
)
console.log(JSON.stringify({ block: number, rows: Object.fromEntries(rows.filter(([, row]) => row.length > 0)) }))
await chain.close()
