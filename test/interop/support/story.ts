import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import { systemClock } from '@arbor/shared/clock'
import { type RealChain, startRealChain } from '../../e2e/support/real-chain.ts'

/** A running chain, our own client on it, and an empty home folder for Bittensor's clients. */
export interface Story {
  readonly chain: RealChain
  readonly client: ChainConnection
  readonly home: string
  readonly wallets: string
  /** Waits until a finalised block passes a check, and gives what the check gave. */
  until<Result>(check: (at: `0x${string}`) => Promise<Result | undefined>): Promise<Result>
  close(): Promise<void>
}

export async function startStory(options: Parameters<typeof startRealChain>[0] = {}): Promise<Story> {
  const home = await mkdtemp(join(tmpdir(), 'arbor-interop-'))
  const chain = await startRealChain(options)
  const stop = new AbortController()
  const client = await connectChain({ url: chain.url, signal: stop.signal, clock: systemClock })
  return {
    chain,
    client,
    home,
    wallets: join(home, '.bittensor', 'wallets'),
    until: async (check) => {
      for await (const { hash } of client.heads('finalized', stop.signal)) {
        const result = await check(hash)
        if (result !== undefined) return result
      }
      throw new Error('the chain ended')
    },
    close: async () => {
      stop.abort()
      await client.close()
      await chain.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
