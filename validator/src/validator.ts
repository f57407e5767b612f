import { randomBytes } from 'node:crypto'
import type { Loop } from '@arbor/shared/supervise'
import { type AuditDeps, runAudits } from './audits.ts'
import { followChain, type StaleRule } from './chain-loop.ts'
import type { ChainView } from './chain-view.ts'
import type { Sight } from './health/sight.ts'
import type { Keep } from './keep.ts'
import { type RoundLoopDeps, runRounds } from './rounds/loop.ts'
import type { RowSource } from './weights/deps.ts'
import { runWeights, type WeightLoopDeps } from './weights/loop.ts'
import { scoredRows } from './weights/source.ts'

type Own = 'view' | 'keep'

export interface ValidatorDeps
  extends Omit<RoundLoopDeps, Own>,
    Omit<WeightLoopDeps, Own | keyof RoundLoopDeps | 'mechanism' | 'version' | 'source' | 'random'>,
    Pick<AuditDeps, 'traffic' | 'threads'> {
  /** Mechanism of the subnet whose weights are set; 0 by default. */
  readonly mechanism?: number
  /** Where rows come from; from this validator's scores by default. */
  readonly source?: RowSource
  /** Gives so many unpredictable bytes; the machine's by default. */
  readonly random?: (length: number) => Uint8Array
  readonly keep: Keep
  readonly stale: StaleRule
  /** Loops of a subnet that trains a model, in place of those that ask and audit; absent in all others. */
  readonly training?: (of: { readonly view: ChainView }) => Readonly<Record<'training' | 'rounds', Loop>>
}

/** What a validator consists of; each loop ends only by its signal, or by an error that ends the process. */
export interface Validator {
  readonly view: ChainView
  /** Gives what is seen of the chain now, fresh or not. */
  readonly sight: () => Sight
  readonly loops: Readonly<Record<'chain' | 'rounds' | 'weights', Loop> & Partial<Record<'audits' | 'training', Loop>>>
}

/** Joins a validator's loops: one follows the chain, the others decide by what it saw. */
export function createValidator(deps: ValidatorDeps): Validator {
  const self = deps.hotkey.address
  const { view, sight, loop: chain } = followChain({ ...deps, hotkey: self, memory: deps.ledger })
  return {
    view,
    sight,
    loops: {
      chain,
      ...(deps.training?.({ view }) ?? {
        rounds: (signal) => runRounds({ ...deps, view }, signal),
        audits: (signal) => runAudits({ ...deps, view, self }, signal),
      }),
      weights: (signal) => runWeights({ ...weightDepsOf(deps), view }, signal),
    },
  }
}

const weightDepsOf = (deps: ValidatorDeps): Omit<WeightLoopDeps, 'view'> => ({
  random: randomBytes,
  mechanism: 0,
  source: scoredRows(deps),
  version: BigInt(deps.spec.version),
  ...deps,
})
