import { compare, type Failure } from './epoch.ts'
import type { Arithmetic } from './runtime.ts'
import { type Json, type JsonObject, list, object } from './vectors.ts'

const OWNER_CUT = 11_796 // 18 % of 65 535
const MIN_BURN = 500_000 // rao
const MAX_BURN = 100_000_000_000 // rao: 100 TAO
const BURN_MULT = q(1.26, 64)
const ACTIVITY_FACTOR = 13_889 // thousandths of a tempo

interface Question {
  readonly query: JsonObject
  readonly answer: Json
  /** Largest difference that the vector allows, for fractions; absent means none. */
  readonly tolerance?: number
}

/** How each list of emission.json is asked and what must come back. */
export const RULES: Readonly<Record<string, (item: Json) => Question>> = {
  block_emission: (item) => ({
    query: { BlockEmission: { issuance: field(item, 'issuance') } },
    answer: field(item, 'rao'),
  }),
  max_upscale: (item) => ({
    query: { MaxUpscale: { weights: field(item, 'input') } },
    answer: field(item, 'output'),
  }),
  burn_decay: (item) => ({
    query: { BurnDecayFactor: { halfLife: field(item, 'half_life') } },
    answer: field(item, 'factor_q32'),
  }),
  burn_price_sequence_start_1tao_half_life_360: (item) => {
    const [blocks, answer] = pair(item)
    const query = { price: 1_000_000_000, halfLife: 360, blocks, min: MIN_BURN, max: MAX_BURN }
    return { query: { BurnPriceAfter: query }, answer }
  },
  burn_increase: (item) => {
    const [price, answer] = pair(item)
    return { query: { BurnPriceBumped: { price, mult: BURN_MULT, min: MIN_BURN, max: MAX_BURN } }, answer }
  },
  epoch_schedule_425: (item) => {
    const state = {
      tempo: field(item, 'tempo'),
      lastEpochBlock: field(item, 'last_epoch_block'),
      pendingEpochAt: field(item, 'pending'),
      blocksSinceLastStep: field(item, 'blocks_since_last_step'),
    }
    const answer = { run: field(item, 'run'), blocksUntilAuto: field(item, 'blocks_until_auto') }
    return { query: { EpochDue: { state, block: field(item, 'block') } }, answer }
  },
  epoch_schedule_old_formula: (item) => {
    const query = { netuid: field(item, 'netuid'), tempo: field(item, 'tempo'), block: field(item, 'block') }
    return { query: { LegacyEpochDue: query }, answer: field(item, 'run') }
  },
  emission_split: (item) => {
    const rootProportion = q(Number(field(item, 'root_proportion')), 32)
    const query = { alphaOut: field(item, 'alpha_out'), ownerCut: OWNER_CUT, rootProportion }
    const answer = {
      ownerCut: field(item, 'owner_cut'),
      server: field(item, 'server'),
      rootAlpha: field(item, 'root_alpha'),
      validator: field(item, 'validator'),
    }
    return { query: { SplitEmission: query }, answer }
  },
  subnet_shares_425: (item) => {
    const vector = object(item, 'case')
    const burned = list(vector, 'miner_burned')
    const enabled = list(vector, 'emission_enabled')
    const subnets = list(vector, 'moving_price').map((price, index) => ({
      movingPrice: q(Number(price), 64),
      minerBurned: q(Number(burned[index]), 64),
      emissionEnabled: enabled[index] === 1,
    }))
    return {
      query: { SubnetShares: { subnets } },
      answer: list(vector, 'share'),
      tolerance: Number(field(item, 'tolerance')),
    }
  },
  activity_cutoff: (item) => {
    const [tempo, answer] = pair(item)
    return { query: { ActivityCutoff: { factorMilli: ACTIVITY_FACTOR, tempo } }, answer }
  },
}

/** Asks the runtime for one rule and compares the answer. */
export function checkRule(key: string, item: Json, arithmetic: Arithmetic): readonly Failure[] {
  const question = RULES[key]?.(item)
  if (question === undefined) throw new Error(`No rule is called "${key}".`)
  const { value } = arithmetic.ask(question.query)
  const { answer, tolerance } = question
  if (tolerance === undefined || !Array.isArray(answer) || !Array.isArray(value)) return compare(key, answer, value)
  const near =
    value.length === answer.length &&
    answer.every((share, index) => {
      return Math.abs(Number(share) - Number(value[index]) / 2 ** 64) <= tolerance
    })
  return near
    ? []
    : compare(
        key,
        answer,
        value.map((share) => Number(share) / 2 ** 64),
      )
}

/** Turns a fraction into fixed-point bits. */
function q(value: number, bits: number): bigint {
  return BigInt(Math.floor(value * 2 ** bits))
}

/** Reads a field that a case must have. */
function field(item: Json, name: string): Json {
  const value = object(item, 'case')[name]
  if (value === undefined) throw new Error(`The vector has no "${name}".`)
  return value
}

function pair(item: Json): readonly [Json, Json] {
  if (!Array.isArray(item) || item.length !== 2) throw new Error('The vector must be a pair.')
  return [item[0], item[1]]
}
