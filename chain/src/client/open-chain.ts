import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, Ms } from '@arbor/shared/units'
import { createMisfit } from './answers.ts'
import { otherGenesis } from './errors.ts'
import { type Fault, faultOf } from './faults.ts'
import { createFinality, type Finality, MOST_BEHIND, readFinalised, standing } from './finality.ts'
import { createHeaderReader, type ReadHeader } from './header.ts'
import { createLineage, type Lineage } from './lineage.ts'
import { openRpcSocket } from './socket.ts'
import type { ConnectionLimits, Request, RpcSocket } from './socket-types.ts'
import { watchEndpoint } from './watch.ts'

/** A socket to one chain. */
export interface OpenedChain {
  readonly socket: RpcSocket
  readonly finality: Finality
  readonly readHeader: ReadHeader
  /** Hash of a final block that was seen; null when it was not. */
  finalHash(number: Block): Hex | null
  /** Null until `socket.opened` resolved. */
  genesisHash(): Hex | null
  /** Calls at each regular look at the endpoint in use, until the result is called; the look's deadline holds for what it asks. */
  onLook(listener: (request: Request) => Promise<void>): () => void
  close(): Promise<void>
}

export interface OpenOptions {
  /** One address, or several in order of preference. */
  readonly url: string | readonly string[]
  /** Genesis that the chain must have; whatever it has at the start when null. */
  readonly expectGenesis: Hex | null
  readonly clock: Clock
  readonly limits: ConnectionLimits
  readonly signal: AbortSignal
  readonly onFault: (of: { readonly endpoint: string; readonly fault: Fault; readonly wasOpen: boolean }) => void
  readonly onOpen?: (of: { readonly endpoint: string; readonly connections: number }) => void
}

/**
 * Opens a socket that stays with one chain, and with one history of it, through every reconnection; it closes when the signal aborts.
 * @throws CHAIN_URL; `socket.opened` rejects with CHAIN_UNREACHABLE, CHAIN_OTHER_GENESIS
 */
export const openChain = (of: OpenOptions): OpenedChain => {
  const { clock, limits, signal } = of
  const urls = readUrls(of.url)
  signal.throwIfAborted()
  const readHeader = createHeaderReader()
  const lineage = createLineage()
  let genesis = of.expectGenesis
  const socket = openRpcSocket({
    urls,
    clock,
    limits,
    misfit: createMisfit(readHeader),
    onFault: of.onFault,
    onOpen: (opened) => of.onOpen?.(opened),
    admit: async (request, endpoint) => {
      const found = (await request('chain_getBlockHash', [0])) as Hex
      if (genesis !== null && found !== genesis) throw otherGenesis(endpoint, genesis, found)
      genesis = found
      await mustGoOn({ request, endpoint, lineage, readHeader, clock, signal: socket.dead })
    },
  })
  const finality = createFinality({
    request: socket.request,
    readHeader,
    lineage,
    url: () => socket.status().endpoint ?? '',
    suspect: (error, connection) => socket.suspect(faultOf(error), connection),
    connection: () => socket.status().connections,
  })
  const lookers = new Set<(request: Request) => Promise<void>>()
  void watchEndpoint({ urls, socket, finality, lineage, lookers, readHeader, clock, limits, genesis: () => genesis })
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', onAbort)
    await socket.close()
  }
  const onAbort = (): void => void close()
  signal.addEventListener('abort', onAbort, { once: true })
  return {
    socket,
    finality,
    readHeader,
    finalHash: lineage.hashAt,
    genesisHash: () => genesis,
    onLook: (listener) => {
      lookers.add(listener)
      return () => void lookers.delete(listener)
    },
    close,
  }
}

/** Between two looks at an endpoint that is a few blocks behind, and how often it is looked at: for two seconds. */
const CATCH_UP_PAUSE_MS = 250 as Ms
const MOST_LOOKS = 8

/** Holds an endpoint to what was seen before anything else is asked of it. @throws CHAIN_FORK, CHAIN_BEHIND, CHAIN_ANSWER */
async function mustGoOn(of: {
  readonly request: Request
  readonly endpoint: string
  readonly lineage: Lineage
  readonly readHeader: ReadHeader
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<void> {
  const { request, endpoint, lineage, readHeader } = of
  for (let looks = 1; ; looks += 1) {
    const head = await readFinalised(request, readHeader)
    const wrong = await standing({ lineage, request, url: endpoint }, head)
    if (wrong === null) {
      lineage.add(head)
      return
    }
    const lag = (lineage.newest()?.number ?? 0) - head.number
    if (wrong.code !== 'CHAIN_BEHIND' || lag > MOST_BEHIND || looks === MOST_LOOKS) throw wrong
    await of.clock.sleep(CATCH_UP_PAUSE_MS, of.signal)
  }
}

/** More would hide a mistake. */
const MOST_URLS = 16

/** Reads addresses as they were given. @throws CHAIN_URL */
export const readUrls = (given: string | readonly string[]): readonly string[] => {
  const urls = [...new Set(typeof given === 'string' ? [given] : given)]
  for (const url of urls) {
    if (/^wss?:\/\/[^/,\s][^,\s]*$/.test(url) && URL.canParse(url)) continue
    throw new SubnetError({
      code: 'CHAIN_URL',
      message: `"${url}" is no WebSocket address; give one as ws://127.0.0.1:9944`,
    })
  }
  if (urls.length === 0 || urls.length > MOST_URLS)
    throw new SubnetError({
      code: 'CHAIN_URL',
      message: `${urls.length} addresses of a chain were given; give 1 to ${MOST_URLS}, as ws://127.0.0.1:9944`,
    })
  return urls
}
