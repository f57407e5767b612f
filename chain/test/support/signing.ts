import type { Clock } from '@arbor/shared/clock'
import { fromHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { SignPurpose } from '@arbor/shared/signer'
import type { Block, Hex, Rao, UnixMs } from '@arbor/shared/units'
import type { Runtime } from '../../src/client/runtime.ts'
import { signCall } from '../../src/client/sign.ts'
import type { Call } from '../../src/client/types.ts'
import type { ChainCode } from '../../src/signer/chain-code.ts'
import { createJudge, type Judge } from '../../src/signer/judge.ts'
import type { Policy } from '../../src/signer/policy.ts'
import { noSpending, type SpendBook } from '../../src/signer/spend.ts'

/** The hotkey of the tests. */
export const alice = keypairFromUri('//Alice')
export const GENESIS: Hex = `0x${'2f'.repeat(32)}`
export const NOW = 1_760_000_000_000 as UnixMs
export const never = new AbortController().signal

/** Code that never changes, of the runtime given. */
export const codeOf = (runtime: Runtime): ChainCode => ({
  genesisHash: fromHex(GENESIS),
  runtime: async () => runtime,
  specVersion: () => runtime.specVersion,
  close: async () => {},
})

/** A judge on a manual clock. */
export const judgeBy = (of: {
  readonly policy: Policy
  readonly runtime: Runtime
  readonly code?: ChainCode
  readonly spending?: SpendBook
  readonly clock?: Clock
}): Judge =>
  createJudge({
    policy: of.policy,
    code: of.code ?? codeOf(of.runtime),
    spending: of.spending ?? noSpending,
    clock: of.clock ?? createManualClock(NOW),
  })

/** The payload that our own client asks a signature for. */
export const payloadOf = async (
  runtime: Runtime,
  call: Call,
  of: { readonly genesisHash?: Hex; readonly eraBlocks?: number } = {},
): Promise<{ readonly payload: Uint8Array; readonly message: Uint8Array }> => {
  const asked: { message: Uint8Array; purpose: SignPurpose }[] = []
  await signCall({
    runtime,
    call,
    signer: {
      ...alice,
      sign: (message, purpose: SignPurpose) => {
        asked.push({ message, purpose })
        return new Uint8Array(64).fill(1)
      },
    },
    nonce: 7,
    genesisHash: of.genesisHash ?? GENESIS,
    birth: { number: 510 as Block, hash: `0x${'ab'.repeat(32)}` },
    eraBlocks: of.eraBlocks ?? 64,
  })
  const [first] = asked
  if (first?.purpose.kind !== 'extrinsic') throw new Error('the client asked for no extrinsic')
  return { payload: first.purpose.payload, message: first.message }
}

export const rao = (amount: bigint): Rao => amount as Rao
