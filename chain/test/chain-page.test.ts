import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRpcChain } from './support/rpc.ts'

/** Methods that the page does not name one by one: ends of subscriptions, what it sums up, and second names. */
const BESIDES =
  /_unsubscribe|^(un)?subscribe_|^author_unwatchExtrinsic$|^rpc_methods$|^childstate_|^engine_|At$|[fF]inalisedHeads?$|^chain_subscribeNewHead$/

const page = readFileSync(new URL('../../docs/chain.md', import.meta.url), 'utf8')

/** Names of the table of methods: the prefixes of a row with every word after them, `chain_` and `getBlock`. */
const listed = [...page.matchAll(/^\| ((?:`\w+_`(?:, )?)+) \| (.*) \|$/gm)].map(([, prefixes = '', words = '']) => ({
  prefixes: [...prefixes.matchAll(/`(\w+_)`/g)].map(([, prefix = '']) => prefix),
  words: [...words.matchAll(/`(\w+)`/g)].map(([, word = '']) => word),
}))

describe('docs/chain.md', () => {
  let rpc: Awaited<ReturnType<typeof startRpcChain>>
  let served: readonly string[]
  beforeAll(async () => {
    rpc = await startRpcChain()
    served = ((await rpc.get('rpc_methods')) as { readonly methods: readonly string[] }).methods
  })
  afterAll(() => rpc.chain.close())

  test('lists methods that are answered', () => {
    const unknown = listed.flatMap(({ prefixes, words }) =>
      words.filter(
        (word) =>
          ![...served, 'arbor_reorg'].some(
            (name) => name === word || prefixes.some((prefix) => name === prefix + word),
          ),
      ),
    )
    expect(unknown).toEqual([])
    expect(listed.flatMap(({ words }) => words).length).toBeGreaterThan(30)
  })

  test('leaves out no method that is answered', () => {
    const known = new Set(
      listed.flatMap(({ prefixes, words }) => words.flatMap((word) => [word, ...prefixes.map((p) => p + word)])),
    )
    expect(served.filter((name) => !known.has(name) && !BESIDES.test(name))).toEqual([])
  })
})
