import { adminSet, sudo } from '@arbor/chain/client/calls'
import type { Call } from '@arbor/chain/client/types'
import type { Moment } from './history.ts'
import { alice, netuid, type World } from './world.ts'

/** A rule of the subnet as it is to be; set again until the chain has it, since a killed chain forgets what was on its way. */
export interface WantedRule {
  readonly call: Call
  readonly holds: (moment: Moment) => boolean
}

/** The rules that a run changes, by name. */
export const RULES = {
  tempo: (tempo: number): WantedRule => ({
    call: set('tempo', { tempo }),
    holds: ({ metagraph }) => metagraph.tempo === tempo,
  }),
  'rate-limit': (blocks: number): WantedRule => ({
    call: set('weights_set_rate_limit', { weights_set_rate_limit: blocks }),
    holds: ({ rules }) => rules.weightsRateLimit === blocks,
  }),
  'version-key': (version: number): WantedRule => ({
    call: set('weights_version_key', { weights_version_key: version }),
    holds: ({ rules }) => rules.weightsVersion === BigInt(version),
  }),
  permits: (most: number): WantedRule => ({
    call: set('max_allowed_validators', { max_allowed_validators: most }),
    holds: ({ rules }) => rules.maxValidators === most,
  }),
  'stake-threshold': (rao: bigint): WantedRule => ({
    call: adminSet('stake_threshold', { min_stake: rao }),
    holds: ({ rules }) => rules.stakeThreshold === rao,
  }),
  'commit-reveal': (enabled: boolean): WantedRule => ({
    call: set('commit_reveal_weights_enabled', { enabled }),
    holds: ({ rules }) => rules.commitRevealEnabled === enabled,
  }),
  'reveal-period': (interval: number): WantedRule => ({
    call: set('commit_reveal_weights_interval', { interval }),
    holds: ({ revealPeriod }) => revealPeriod === interval,
  }),
} as const

const set = (parameter: string, args: Call['args']): Call => adminSet(parameter, { netuid, ...args })

/** Keeps the subnet's rules as they are wanted. */
export interface RuleKeeper {
  want(name: keyof typeof RULES, rule: WantedRule): void
  /** Hands in what the chain does not have yet. */
  keep(moment: Moment): void
  /** Calls that the chain refused, by its error. */
  readonly refused: ReadonlyMap<string, number>
}

/** Makes a keeper. */
export const keepRules = (world: Pick<World, 'act'>): RuleKeeper => {
  const wanted = new Map<string, WantedRule>()
  const flying = new Set<string>()
  const refused = new Map<string, number>()
  const handIn = async (name: string, { call }: WantedRule): Promise<void> => {
    flying.add(name)
    try {
      const outcome = await world.act(sudo(call), alice)
      if (outcome.status === 'failed' || outcome.status === 'refused')
        refused.set(`${name} ${outcome.error}`, (refused.get(`${name} ${outcome.error}`) ?? 0) + 1)
    } catch (error) {
      refused.set(`${name} ${String(error)}`, (refused.get(`${name} ${String(error)}`) ?? 0) + 1)
    } finally {
      flying.delete(name)
    }
  }
  return {
    refused,
    want: (name, rule) => void wanted.set(name, rule),
    keep: (moment) => {
      for (const [name, rule] of wanted) if (!flying.has(name) && !rule.holds(moment)) void handIn(name, rule)
    },
  }
}
