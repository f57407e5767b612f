/** Pulses that the chain takes in one call, and in one block. @source chain/pallets/drand MAX_PULSES */
export const MAX_PULSES = 16

/**
 * Chooses the rounds to hand in next, rising: those that commits wait for, then the missing ones up to the newest due.
 * @param of.due newest round that is due by the chain's time; 0 for none
 * @param of.lastStored newest round that the chain has; 0 for none
 * @param of.wanted rounds that pending commits name and the chain does not have
 * @param of.catchUp rounds that are made up for after a pause; older ones are left out unless wanted
 */
export function planRounds(of: {
  readonly due: bigint
  readonly lastStored: bigint
  readonly wanted: readonly bigint[]
  readonly catchUp: number
}): bigint[] {
  const { due, lastStored } = of
  const oldest = lastStored === 0n ? due : due - BigInt(of.catchUp) + 1n
  const first = [lastStored + 1n, oldest, 1n].reduce((a, b) => (a > b ? a : b))
  const wanted = [...new Set(of.wanted)].filter((round) => round >= 1n && round <= due && round < first)
  const rounds = wanted.sort((a, b) => (a < b ? -1 : 1)).slice(0, MAX_PULSES)
  for (let round = first; round <= due && rounds.length < MAX_PULSES; round += 1n) rounds.push(round)
  return rounds
}
