import process from 'node:process'
import { connectChain } from '@arbor/chain/client/connect'
import { systemClock } from '@arbor/shared/clock'

const chain = await connectChain({
  url: process.argv[2] ?? '',
  signal: new AbortController().signal,
  clock: systemClock,
})
await chain.best()
await chain.close()
