import { readFileSync } from 'node:fs'
import { SubnetError } from '@arbor/shared/errors'
import { sha256 } from '@arbor/shared/hashing'
import { fromHex } from '@arbor/shared/hex'
import { writePulses } from '../client/calls.ts'
import type { ChainConnection } from '../client/connect.ts'
import { type Pulse, roundAt, verifyPulse } from '../timelock/drand.ts'
import { MAX_PULSES } from './plan.ts'

/** Recorded pulses that one file may hold. */
const MAX_RECORDED = 10_000

/** Reads recorded pulses: a JSON list of { round, signature } as drand's HTTP API writes them, or one. @throws BEACON_RELAY_FILE */
export function readPulses(file: string): Pulse[] {
  const fail = (why: string, cause?: unknown): SubnetError =>
    new SubnetError({
      code: 'BEACON_RELAY_FILE',
      message: `${file} holds no recorded pulses: ${why}; give a JSON list of { "round": n, "signature": "hex" }`,
      cause,
    })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause)
  }
  const entries = Array.isArray(value) ? value : [value]
  if (entries.length === 0 || entries.length > MAX_RECORDED) throw fail(`it has ${entries.length} entries`)
  const pulses = entries.map((entry: unknown): Pulse => {
    const { round, signature } = (entry ?? {}) as { readonly round?: unknown; readonly signature?: unknown }
    if (!Number.isSafeInteger(round) || Number(round) < 1) throw fail(`an entry has the round ${String(round)}`)
    if (typeof signature !== 'string' || !/^(0x)?[0-9a-f]{96}$/i.test(signature))
      throw fail(`round ${String(round)} has no signature of 48 bytes`)
    const bytes = fromHex(signature.startsWith('0x') ? signature : `0x${signature}`)
    return { round: BigInt(Number(round)), signature: bytes, randomness: sha256(bytes) }
  })
  const rounds = new Map(pulses.map((pulse) => [pulse.round, pulse]))
  return [...rounds.values()].sort((a, b) => (a.round < b.round ? -1 : 1))
}

/**
 * Hands recorded pulses in, 16 a block, and waits until the chain has them all.
 * @returns the rounds that were new to the chain
 * @throws BEACON_RELAY_REFUSED when one is not of the chain's beacon, not due yet, or the chain does not take it
 */
export async function relayPulses(
  chain: ChainConnection,
  pulses: readonly Pulse[],
  signal: AbortSignal,
): Promise<readonly bigint[]> {
  const { hash } = await chain.best()
  const { beacon, now } = await chain.beacon(hash)
  const due = roundAt(beacon, now)
  for (const pulse of pulses) {
    if (pulse.round > due)
      throw refused(`round ${pulse.round} is not due before round ${due} of the chain's time; wait`, true)
    if (!verifyPulse(beacon, pulse))
      throw refused(`the signature of round ${pulse.round} is not of the beacon that ${chain.url} follows`)
  }
  const handed: bigint[] = []
  let refusals = 0
  for await (const head of chain.heads('best', signal)) {
    const known = await Promise.all(pulses.map(({ round }) => chain.signature(round, head.hash)))
    const next = pulses.filter((_, index) => known[index] === null).slice(0, MAX_PULSES)
    if (next.length === 0) break
    const outcome = await chain.submitBare(writePulses(next))
    for (const { round } of next) if (!handed.includes(round)) handed.push(round)
    refusals = outcome.status === 'refused' ? refusals + 1 : 0
    // A call that waits for its block is refused a second time; one that never gets there is refused for good.
    if (outcome.status === 'refused' && refusals > MAX_REFUSALS)
      throw refused(`the chain does not take round ${next[0]?.round}: ${outcome.error}`)
  }
  signal.throwIfAborted()
  return handed
}

/** Blocks that a call may wait for its turn. */
const MAX_REFUSALS = 20

const refused = (why: string, retryable = false): SubnetError =>
  new SubnetError({ code: 'BEACON_RELAY_REFUSED', message: why, retryable })
