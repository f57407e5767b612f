import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LinkStatus } from '@arbor/chain/client/link'
import { type ChainProxy, openChainProxy } from './chain-proxy.ts'
import { startScriptedChain } from './scripted-chain.ts'

/** What a client held after so many disturbances. */
export interface Held {
  readonly after: number
  readonly heapBytes: number
  readonly rssBytes: number
  readonly files: number
}

/** What a client that was disturbed told. */
export interface Disturbed {
  readonly held: readonly Held[]
  readonly link: LinkStatus
  readonly heads: number
}

/** Runs a client in a process of its own, and disturbs it whenever it asks. */
const run = async (of: {
  readonly times: number
  readonly what: 'cut' | 'upgrade'
  readonly urls: readonly string[]
  readonly disturb: (endpoint: string) => void
}): Promise<Disturbed> => {
  const file = fileURLToPath(new URL('./reconnect-cycles.ts', import.meta.url))
  const child = fork(file, [String(of.times), of.what, ...of.urls], {
    execArgv: ['--expose-gc', '--max-semi-space-size=4'], // as images and `npm start` do
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const held: Held[] = []
  let end: Omit<Disturbed, 'held'> | null = null
  child.on('message', (message: { what?: string; endpoint?: string; end?: true } & (Held | Disturbed)) => {
    if ('after' in message) held.push(message)
    else if (message.end) end = { link: message.link, heads: message.heads }
    else of.disturb(message.endpoint ?? '')
  })
  const [code] = await once(child, 'exit')
  if (end === null) throw new Error(`the client ended with code ${code}`)
  return { held, ...(end as Omit<Disturbed, 'held'>) }
}

/** Cuts a client's connection to a chain so many times, over two ways to it. */
export const reconnect = async (chainUrl: string, times: number): Promise<Disturbed> => {
  const ways: ChainProxy[] = [await openChainProxy({ to: chainUrl }), await openChainProxy({ to: chainUrl })]
  try {
    const urls = ways.map(({ url }) => url)
    return await run({ times, what: 'cut', urls, disturb: (url) => ways.find((way) => way.url === url)?.cut() })
  } finally {
    for (const way of ways) await way.close()
  }
}

/** Changes the code of a chain so many times while a client is connected. */
export const upgrade = async (times: number): Promise<Disturbed> => {
  const chain = await startScriptedChain()
  let specVersion = 424
  chain.answers.set('state_getRuntimeVersion', () => ({ ...chain.version, specVersion }))
  try {
    const disturb = (): void => {
      specVersion += 1
      chain.notify('state_subscribeRuntimeVersion', { ...chain.version, specVersion })
    }
    return await run({ times, what: 'upgrade', urls: [chain.url], disturb })
  } finally {
    await chain.close()
  }
}
