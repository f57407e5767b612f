import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ConsensusInput, type ConsensusNeuron, consensusOf } from '../src/vtrust/consensus.ts'

const folder = new URL('../../test/vectors/yuma/', import.meta.url)

interface Vector {
  readonly input: {
    readonly n: number
    readonly current_block: number
    readonly tempo: number
    readonly activity_cutoff?: number
    readonly last_update: readonly number[]
    readonly block_at_registration: readonly number[]
    readonly stake: readonly (number | string)[]
    readonly min_stake?: number
    readonly owner_uid?: number | null
    readonly validator_permits: readonly boolean[]
    readonly weights: readonly (readonly (readonly [number, number])[])[]
    readonly kappa?: number
    readonly commit_blocks?: readonly number[] | null
  }
  readonly expect?: { readonly consensus: readonly number[]; readonly validator_trust: readonly number[] }
}

/** Epochs that the chain's own arithmetic computed. */
const vectors = readdirSync(folder).flatMap((name) => {
  const { steps, cases } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
    steps?: Vector[]
    cases?: Vector[]
  }
  return [...(steps ?? []), ...(cases ?? [])].flatMap(({ input, expect: expected }, index) =>
    input?.weights === undefined || expected?.consensus === undefined
      ? []
      : [{ name: `${name} ${index}`, input, expected }],
  )
})

const inputOf = (of: Vector['input'], held?: readonly number[]): ConsensusInput => ({
  block: of.current_block as never,
  neurons: of.stake.map(
    (stake, uid): ConsensusNeuron => ({
      uid: uid as never,
      hotkey: String(uid) as never,
      registeredAt: (of.block_at_registration[uid] ?? 0) as never,
      lastUpdate: (of.last_update[uid] ?? 0) as never,
      validatorPermit: of.validator_permits[uid] ?? false,
      totalStake: BigInt(stake),
    }),
  ),
  rows: new Map(of.weights.map((row, uid) => [uid, row])),
  commits: new Map((of.commit_blocks ?? []).map((block, uid) => [String(uid), block as never])),
  owner: of.owner_uid ?? null,
  stakeThreshold: BigInt(of.min_stake ?? 0),
  activityCutoff: of.activity_cutoff ?? 5_000,
  kappa: (of.kappa ?? 32_767) / 65_535,
  held,
})

describe('consensusOf', () => {
  test('finds vectors', () => expect(vectors.length).toBeGreaterThan(30))

  test.each(vectors)('agrees with the chain on $name', ({ input, expected }) => {
    const held = expected.consensus.map((u16) => u16 / 65_535)
    const { consensus, trust } = consensusOf(inputOf(input, held))
    for (const [uid, u16] of expected.consensus.entries())
      expect(Math.abs((consensus[uid] ?? 0) * 65_535 - u16)).toBeLessThanOrEqual(1.001)
    for (const [uid, u16] of expected.validator_trust.entries())
      expect(Math.abs((trust.get(uid) ?? 0) * 65_535 - u16)).toBeLessThanOrEqual(1.001)
  })
})
