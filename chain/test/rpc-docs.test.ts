import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultPoolLimits } from '../src/pool/types.ts'
import { defaultRpcLimits } from '../src/rpc/limits.ts'
import { MAX_VALUES } from '../src/rpc/request.ts'
import { startRpcChain } from './support/rpc.ts'

const page = readFileSync(new URL('../../docs/chain.md', import.meta.url), 'utf8')
const [, section = ''] = /\n## JSON-RPC\n([\s\S]*?)\n## /.exec(page) ?? []

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeAll(async () => {
  rpc = await startRpcChain()
})
afterAll(() => rpc.chain.close())

/** Other names of methods that the page lists, and what ends its subscriptions. */
const OTHER_NAME =
  /^childstate_|_unsubscribe|_unwatch|Finalised|(Hash|Size|Paged|call|dryRun)At$|subscribeNewHead$|^rpc_methods$/

test('the page names every method that is served, and none that is not', () => {
  const rows = [...section.matchAll(/^\| (`.*?`) \| (.*) \|$/gm)].map(([, prefixes = '', names = '']) => ({
    prefixes: [...prefixes.matchAll(/`(\w+_)`/g)].map(([, prefix = '']) => prefix),
    names: [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  }))
  const served = new Set(rpc.dispatcher.methods)
  const isServed = (prefixes: readonly string[], name: string): boolean =>
    served.has(name) || prefixes.some((prefix) => served.has(prefix + name))
  const listed = rows.flatMap(({ prefixes, names }) =>
    names.flatMap((name) => [name, ...prefixes.map((prefix) => prefix + name)]),
  )
  const missing = rpc.dispatcher.methods.filter((method) => !OTHER_NAME.test(method) && !listed.includes(method))
  const wrong = rows.flatMap(({ prefixes, names }) => names.filter((name) => !isServed(prefixes, name)))
  expect(rows.length).toBe(5)
  expect(missing).toEqual([])
  expect(wrong).toEqual(['reorg']) // served on a loopback address only
})

test('the page states the bounds that hold', () => {
  const spaced = (number: number): string => number.toString().replace(/\B(?=(\d{3})+$)/g, ' ')
  const MIB = 2 ** 20
  const { connections, subscriptions, subscriptionsPerConnection, inFlight } = defaultRpcLimits
  for (const said of [
    `${spaced(connections)} connections`,
    `messages of ${defaultRpcLimits.requestBytes / MIB} MiB`,
    `${spaced(MAX_VALUES)} values`,
    `${spaced(subscriptionsPerConnection)} subscriptions a connection, ${spaced(subscriptions)} in all`,
    `${spaced(inFlight)} requests in flight`,
    `${defaultRpcLimits.bufferedBytes / MIB} MiB unsent`,
    `${defaultRpcLimits.totalRequestBytes / MIB} MiB of requests and of answers of all`,
    `bans for ${defaultPoolLimits.banMs / 1_000} s`,
    `${spaced(defaultPoolLimits.count)} extrinsics, ${defaultPoolLimits.bytes / MIB} MiB, ${spaced(defaultPoolLimits.future)} waiting, ${spaced(defaultPoolLimits.perSender)} of one sender`,
  ]) {
    expect(section.replace(/\s+/g, ' ')).toContain(said)
  }
  expect(defaultRpcLimits.totalBufferedBytes).toBe(defaultRpcLimits.totalRequestBytes)
})
