import { equalBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { NetUid } from '@arbor/shared/units'
import { writePulses } from '../client/calls.ts'
import type { ChainConnection } from '../client/connect.ts'
import type { BlockRef } from '../client/types.ts'
import { type Pulse, publicKeyOf, roundAt, signRound } from '../timelock/drand.ts'
import { planRounds } from './plan.ts'

export interface BeaconDeps {
  readonly chain: ChainConnection
  readonly secret: bigint
  /** Rounds that are made up for after a pause. */
  readonly catchUp: number
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

/** Refusals that mean no harm: another call of this block, or this one before, has the round. */
const HARMLESS = /Stale|ExhaustsResources|AlreadyImported|PriorityTooLow|TemporarilyBanned/
/** Signed pulses kept for a block that did not take them. */
const KEPT = 64

/**
 * Hands in the rounds of a local beacon as the chain's own time reaches them, until the signal aborts.
 * @throws BEACON_OTHER_KEY when the chain follows a beacon with another key
 */
export async function runBeacon(deps: BeaconDeps, signal: AbortSignal): Promise<void> {
  try {
    await follow(deps, signal)
  } catch (error) {
    signal.throwIfAborted() // what was under way when it came ends with an error of its own
    throw error
  }
}

async function follow(deps: BeaconDeps, signal: AbortSignal): Promise<void> {
  const { chain, secret, log } = deps
  await mustBeNamed(deps)
  const signed = new Map<bigint, Pulse>()
  const sign = (round: bigint): Pulse => {
    const pulse = signed.get(round) ?? signRound(secret, round)
    signed.set(round, pulse)
    const [oldest] = signed.keys()
    if (signed.size > KEPT && oldest !== undefined) signed.delete(oldest)
    return pulse
  }
  let behind = true // after a start, commits of before may wait for old rounds
  const tried = new Set<bigint>() // what the chain did not take once it will not take later
  for await (const head of chain.heads('best', signal)) {
    const { beacon, lastStoredRound, now } = await chain.beacon(head.hash)
    const due = roundAt(beacon, now)
    if (due <= lastStoredRound && !behind) continue
    behind ||= lastStoredRound > 0n && due - lastStoredRound > BigInt(deps.catchUp)
    const waited: readonly bigint[] = behind ? await wantedRounds(chain, head, due) : []
    const wanted = waited.filter((round) => !tried.has(round))
    const rounds = planRounds({ due, lastStored: lastStoredRound, wanted, catchUp: deps.catchUp })
    for (const round of rounds) if (wanted.includes(round)) tried.add(round)
    behind = wanted.some((round) => !tried.has(round))
    if (rounds.length === 0) continue
    const outcome = await chain.submitBare(writePulses(rounds.map(sign)))
    const told = { event: 'beacon.pulse', rounds: rounds.map(String), block: head.number }
    if (outcome.status === 'accepted') log.info(told, `handed in ${span(rounds)}`)
    else if (!HARMLESS.test(outcome.error))
      log.warn({ ...told, error: outcome.error }, `${span(rounds)} refused: ${outcome.error}`)
  }
}

const span = (rounds: readonly bigint[]): string =>
  rounds.length === 1 ? `round ${rounds[0]}` : `${rounds.length} rounds, ${rounds[0]} to ${rounds.at(-1)}`

async function mustBeNamed({ chain, secret, log }: BeaconDeps): Promise<void> {
  const { hash } = await chain.best()
  const { beacon } = await chain.beacon(hash)
  const own = publicKeyOf(secret)
  if (!equalBytes(own, beacon.publicKey))
    throw new SubnetError({
      code: 'BEACON_OTHER_KEY',
      message: `${chain.url} follows the beacon ${toHex(beacon.publicKey).slice(0, 18)}…, and this key is ${toHex(own).slice(0, 18)}…; use the key that the chain's genesis names, or start a chain that names this one`,
      details: { chain: toHex(beacon.publicKey), own: toHex(own) },
    })
  log.info(
    { event: 'beacon.ready', url: chain.url, publicKey: toHex(own), periodS: beacon.periodS },
    `signing a round every ${beacon.periodS} s of the chain's time`,
  )
}

/** Lists the due rounds that commits of any subnet wait for and the chain does not have. */
async function wantedRounds(chain: ChainConnection, head: BlockRef, due: bigint): Promise<bigint[]> {
  const rounds = new Set<bigint>()
  for (const netuid of await chain.netuids(head.hash)) {
    for (const round of await chain.timelockedRounds(netuid as NetUid, head.hash)) if (round <= due) rounds.add(round)
  }
  const missing = await Promise.all(
    [...rounds].map(async (round) => ((await chain.signature(round, head.hash)) === null ? [round] : [])),
  )
  return missing.flat()
}
