// The arm Arbor of bench/chain.ts: from the blob and the preset, with the second execution of every block that is its default.
import { readFileSync } from 'node:fs'
import { systemClock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import pino from 'pino'
import { blake256 } from '../../chain/src/embedded/hash.ts'
import { startEmbeddedChain } from '../../chain/src/embedded/start.ts'
import { GENESIS_PATCH } from './chain-genesis.ts'

const offered = new Map<Hex, Uint8Array>()
const chain = await startEmbeddedChain({
  wasm: new Uint8Array(readFileSync(new URL('../../chain/artifacts/arbor_runtime.wasm', import.meta.url))),
  patch: GENESIS_PATCH,
  mode: { kind: 'manual' },
  clock: systemClock,
  signal: new AbortController().signal,
  log: pino({ level: 'silent' }),
  source: {
    ready: () => [...offered].map(([hash, bytes]) => ({ hash, bytes })),
    onBlock: () => offered.clear(),
  },
})
chain.call('Core_version', new Uint8Array(), chain.genesisHash)
const used = process.cpuUsage()
const started = { cpuMs: (used.user + used.system) / 1_000, wallMs: performance.now() }
const { measure } = await import('./chain-measure.ts')
await measure(
  {
    genesisHash: chain.genesisHash,
    block: async (extrinsics) => {
      for (const bytes of extrinsics) offered.set(toHex(blake256(bytes)), bytes)
      return (await chain.produce()).extrinsics.length - 1
    },
    call: async (method, args) => chain.call(method, args, chain.best().hash),
  },
  started,
)
await chain.close()
