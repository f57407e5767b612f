import type { Ss58 } from '@arbor/shared/units'

/** What a miner of the local net runs: the model, or an attack by its name. The chain and the validators are never told. */
export type MinerKind = 'honest' | `cheat:${string}`

/** A process of the local net that holds a registration. */
export interface Member {
  readonly name: string
  readonly role: 'miner' | 'validator'
  readonly kind: MinerKind | 'validator'
  /** Address that its axon listens on; the chain refuses 127.0.0.1. Validators have none. */
  readonly ip: string | null
  readonly hotkey: Ss58
  readonly coldkey: Ss58
}

/** A place in the local net before it has keys. */
export type Place = Omit<Member, 'hotkey' | 'coldkey'>

/** Names the attack that a member answers by; null for the others. */
export const cheatOf = ({ kind }: Pick<Member, 'kind'>): string | null =>
  kind.startsWith(CHEAT) ? kind.slice(CHEAT.length) : null

const CHEAT = 'cheat:'

/**
 * Lists the net: honest miners, cheats, validators.
 * @param of.cheats attacks, one for each miner that cheats
 */
export function places({
  honest,
  cheats,
  validators,
}: {
  honest: number
  cheats: readonly string[]
  validators: number
}): readonly Place[] {
  const kinds: readonly MinerKind[] = [
    ...Array.from({ length: honest }, () => 'honest' as const),
    ...cheats.map((name): MinerKind => `cheat:${name}`),
  ]
  const miners = kinds.map(
    (kind, i): Place => ({ name: `miner-${i + 1}`, role: 'miner', kind, ip: `127.0.0.${i + 2}` }),
  )
  const rest = Array.from(
    { length: validators },
    (_, i): Place => ({ name: `validator-${i + 1}`, role: 'validator', kind: 'validator', ip: null }),
  )
  return [...miners, ...rest]
}

/**
 * Shuffles a list by a seed, so that a uid tells nothing of who holds it.
 * @source Fisher–Yates over a 32-bit xorshift
 */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const out = [...items]
  let state = ((seed << 1) | 1) ^ 0x9e37_79b8 // odd, so never zero, and another for each seed
  for (let i = out.length - 1; i > 0; i -= 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const j = (state >>> 0) % (i + 1)
    const [a, b] = [out[i] as T, out[j] as T]
    out[i] = b
    out[j] = a
  }
  return out
}
