import { transferKeepAlive } from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Rao } from '@arbor/shared/units'
import { ApiPromise, WsProvider } from '@polkadot/api'
import type { ProviderInterface } from '@polkadot/rpc-provider/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChainCommands, numberOf, type Running, rpc } from './support/chain-command.ts'

const TIMEOUT_MS = 60_000
const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const { signal } = new AbortController()
const commands = createChainCommands()
let running: Running
let client: ChainConnection
let api: ApiPromise

beforeAll(async () => {
  // Blocks come on demand and become final on request: every step of these tests is theirs.
  running = await commands.run('--dev', '--manual')
  client = await connectChain({ url: running.url, signal, clock: systemClock })
  api = await ApiPromise.create({ provider: new WsProvider(running.url) as ProviderInterface, noInitWarn: true })
}, TIMEOUT_MS)
afterAll(async () => {
  await api?.disconnect()
  await client?.close()
  await commands.killAll()
})

const make = (finalize = false): Promise<{ hash: string }> =>
  rpc(running.url, 'engine_createBlock', true, finalize) as Promise<{ hash: string }>
const reorg = (depth: number): Promise<{ retracted: string[]; enacted: string[] }> =>
  rpc(running.url, 'arbor_reorg', depth) as Promise<{ retracted: string[]; enacted: string[] }>
const pending = async (count: number): Promise<void> => {
  while (((await rpc(running.url, 'author_pendingExtrinsics')) as unknown[]).length < count) await turn()
}
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

describe('clients through a reorganisation', () => {
  test(
    'our client reports the final block of a transfer whose first block was retracted, and pays once',
    async () => {
      await make(true)
      const before = await client.balance(bob.address)
      const submitted = client.submit(transferKeepAlive({ to: bob.address, amount: 7n as Rao }), {
        signer: alice,
        signal,
        waitFor: 'finalised',
      })
      await pending(1)
      const first = await make()
      expect(await client.balance(bob.address)).toBe(before + 7n)
      const { retracted, enacted } = await reorg(1)
      expect(retracted).toEqual([first.hash])
      expect(await client.balance(bob.address)).toBe(before)
      await pending(1)
      const second = await make(true)
      const result = await submitted
      expect(result).toMatchObject({ status: 'finalised', block: { hash: second.hash } })
      expect(await numberOf(running.url, second.hash)).toBe((await numberOf(running.url, enacted.at(-1))) + 1)
      expect(await client.balance(bob.address)).toBe(before + 7n)
    },
    TIMEOUT_MS,
  )

  test(
    '@polkadot/api hears inBlock, retracted, inBlock, finalized',
    async () => {
      const heard: [string, string][] = []
      // The library drops what it has not told yet when something newer comes.
      const told = async (count: number): Promise<void> => {
        while (heard.length < count) await turn()
      }
      const transfer = api.tx['balances']?.['transferKeepAlive']?.(bob.address, 9n)
      await transfer?.signAsync(alice.address, { signer: signerOf(alice) })
      await transfer?.send(({ status }) => {
        if (status.isReady || status.isBroadcast || status.isFuture) return
        heard.push([status.type, String(status.value)])
      })
      await pending(1)
      const first = await make()
      await told(1)
      await make()
      const { retracted, enacted } = await reorg(2)
      expect(retracted).toHaveLength(2)
      await told(2)
      await pending(1)
      const second = await make()
      await told(3)
      await rpc(running.url, 'engine_finalizeBlock', second.hash)
      await told(4)
      expect(heard).toEqual([
        ['InBlock', first.hash],
        ['Retracted', first.hash],
        ['InBlock', second.hash],
        ['Finalized', second.hash],
      ])
      expect(enacted).toHaveLength(3)
    },
    TIMEOUT_MS,
  )

  test(
    'new heads and storage are those of the new branch, finalised heads never go back',
    async () => {
      const [best, final, balances]: [string[], number[], bigint[]] = [[], [], []]
      const stops = await Promise.all([
        api.rpc.chain.subscribeNewHeads(({ hash }) => void best.push(hash.toHex())),
        api.rpc.chain.subscribeFinalizedHeads(({ number }) => void final.push(number.toNumber())),
        api.query['system']?.['account']?.(
          bob.address,
          ({ data }: never) => void balances.push(BigInt((data as { free: bigint }).free.toString())),
        ) as unknown as Promise<() => void>,
      ])
      const [base = 0n] = [await client.balance(bob.address)]
      const submitted = client.submit(transferKeepAlive({ to: bob.address, amount: 5n as Rao }), {
        signer: alice,
        signal,
      })
      await pending(1)
      const included = await make()
      await submitted
      const { enacted } = await reorg(1)
      const again = await make(true)
      while (final.at(-1) !== (await numberOf(running.url, again.hash))) await turn()
      for (const stop of stops) stop()
      expect(best.slice(-3)).toEqual([included.hash, enacted.at(-1), again.hash])
      expect(final).toEqual([...final].sort((a, b) => a - b))
      expect(balances.slice(-4)).toEqual([base, base + 5n, base, base + 5n])
    },
    TIMEOUT_MS,
  )
})

const signerOf = (pair: Keypair) => ({
  signRaw: async ({ data }: { readonly data: string }) => ({
    id: 1,
    signature: `0x01${Buffer.from(pair.sign(Buffer.from(data.slice(2), 'hex'))).toString('hex')}` as const,
  }),
})
