import type { Clock } from '@arbor/shared/clock'
import { fromHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { fetchRuntime } from '../client/fetch-runtime.ts'
import { logLink } from '../client/link.ts'
import { openChain } from '../client/open-chain.ts'
import { readRuntime } from '../client/read-runtime.ts'
import { createReader } from '../client/reader.ts'
import type { Runtime } from '../client/runtime.ts'
import { defaultLimits } from '../client/socket-types.ts'

/** The code by which a signer reads calls, and the chain that it belongs to. */
export interface ChainCode {
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  /** Runtime of the next block; looked at each time, fetched anew when the chain has other code. @throws CHAIN_* */
  runtime(signal: AbortSignal): Promise<Runtime>
  /** Spec version that was met last. */
  specVersion(): number
  close(): Promise<void>
}

/** A signature waits for the chain's answer that long; a chain that is away is looked for as long as the signer lives. */
const LIMITS = { ...defaultLimits, requestMs: 5_000, giveUpMs: 31_536_000_000 } // a year

/**
 * Follows a chain's code over a connection of the signer's own.
 * @throws CHAIN_UNREACHABLE, CHAIN_OTHER_GENESIS, CHAIN_METADATA, CHAIN_URL
 */
export const followChainCode = async (of: {
  /** One address of the chain, or several in order of preference. */
  readonly url: string | readonly string[]
  /** Genesis that the chain must have; whatever it has at the start when null. */
  readonly genesisHash: Hex | null
  readonly clock: Clock
  readonly log: { warn(fields: object, message: string): void }
  readonly signal: AbortSignal
}): Promise<ChainCode> => {
  const { url, clock, log, signal } = of
  const { socket, genesisHash, close } = openChain({
    url,
    signal,
    clock,
    expectGenesis: of.genesisHash,
    limits: LIMITS,
    ...logLink(log),
  })
  try {
    await socket.opened
    const onUpgrade = (before: Runtime, after: Runtime): void =>
      log.warn(
        { event: 'signer.upgraded', from: before.specVersion, to: after.specVersion },
        "the chain's code is another one now; its calls are read anew",
      )
    const reader = createReader({ socket, runtime: await fetchRuntime(socket.request, null), onUpgrade })
    return {
      genesisHash: fromHex(genesisHash() ?? ''),
      runtime: async (until) => {
        until.throwIfAborted()
        return reader.runtimeOfNext()
      },
      specVersion: () => reader.runtime().specVersion,
      close,
    }
  } catch (error) {
    await close()
    signal.throwIfAborted()
    throw error
  }
}

/** Takes a chain's code from metadata in a file, for a machine without a way to the chain. @throws CHAIN_METADATA, HEX_INVALID */
export const fixedChainCode = (metadata: Uint8Array, genesisHash: Hex): ChainCode => {
  const runtime = readRuntime(metadata, null)
  return {
    genesisHash: fromHex(genesisHash),
    runtime: async () => runtime,
    specVersion: () => runtime.specVersion,
    close: async () => undefined,
  }
}
