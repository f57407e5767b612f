import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { RoundLedger } from '../rounds/ledger.ts'
import { rowAt } from '../scoring/fold.ts'
import type { RowSource } from './deps.ts'

/** Makes the source of a validator's own rows: what its scores lead to at the metagraph. */
export const scoredRows =
  ({ ledger, spec }: { readonly ledger: Pick<RoundLedger, 'scoreState'>; readonly spec: SubnetSpec }): RowSource =>
  ({ metagraph }) => {
    const { tempo, neurons, block } = metagraph
    return rowAt(ledger.scoreState(), { block: block.number, tempo, neurons }, spec)
  }
