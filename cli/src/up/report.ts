import type { Ss58 } from '@arbor/shared/units'
import type { RowAudit } from './audited.ts'
import { grown, paidBetween } from './books.ts'
import type { Member } from './roster.ts'
import type { NetState } from './state.ts'
import type { TrainingReport } from './training/report.ts'
import type { Sight } from './watch.ts'

/** What `arbor up --epochs N --json` prints; docs/report.md. Amounts are alpha in rao, as decimal strings. */
export interface Report extends Partial<TrainingReport> {
  readonly netuid: number
  readonly epochs: number
  readonly blocks: number
  readonly secondsToFirstWeights: number
  readonly miners: readonly {
    readonly hotkey: string
    readonly uid: number
    readonly kind: string
    readonly verdicts: Readonly<Record<string, number>>
    readonly incentive: number
    readonly emissionRao: string
  }[]
  readonly validators: readonly {
    readonly hotkey: string
    readonly uid: number
    readonly weights: readonly (readonly [number, number])[]
    readonly readBackBlock: number
    readonly readBack: boolean
    readonly audit: RowAudit | null
    readonly dividends: number
    readonly emissionRao: string
  }[]
  readonly issuedRao: string
  readonly paid: Readonly<Record<'miners' | 'validators' | 'owner' | 'pending' | 'burned' | 'dust', string>>
}

/** A row that a validator's log says was included at a block. */
export interface Claim {
  readonly hotkey: Ss58
  readonly row: readonly (readonly [number, number])[]
  readonly includedAt: number
}

/**
 * Reports what happened between two finalised blocks.
 * @param claims the rows that validators say they set, from their own logs
 * @param training what a training subnet's report has besides
 * @param audits the rows as they were computed again from the receipts that validators serve
 */
export function makeReport({
  from,
  to,
  members,
  state,
  claims,
  audits,
  secondsToFirstWeights,
  training,
}: {
  readonly from: Sight
  readonly to: Sight
  readonly members: readonly Member[]
  readonly state: NetState
  readonly claims: readonly Claim[]
  readonly audits: ReadonlyMap<Ss58, RowAudit>
  readonly secondsToFirstWeights: number
  readonly training?: TrainingReport | undefined
}): Report {
  const neuronOf = (hotkey: Ss58) => to.metagraph.neurons.find((neuron) => neuron.hotkey === hotkey)
  const of = (role: Member['role']) => members.filter((member) => member.role === role)
  const validators = of('validator')
  const paid = paidBetween({
    before: from.books,
    after: to.books,
    owner: to.metagraph.ownerHotkey,
    validators: new Set(validators.map(({ hotkey }) => hotkey)),
  })
  return {
    netuid: to.metagraph.netuid,
    epochs: to.metagraph.epochIndex - from.metagraph.epochIndex,
    blocks: to.block.number - from.block.number,
    secondsToFirstWeights,
    miners: of('miner').map(({ hotkey, kind }) => ({
      hotkey,
      uid: neuronOf(hotkey)?.uid ?? -1,
      kind,
      verdicts: state.miners.find((miner) => miner.hotkey === hotkey)?.verdicts ?? {},
      incentive: neuronOf(hotkey)?.incentive ?? 0,
      emissionRao: String(grown(from.books, to.books, hotkey)),
    })),
    validators: validators.map(({ hotkey }) => {
      const weights = to.rows.get(hotkey) ?? []
      return {
        hotkey,
        uid: neuronOf(hotkey)?.uid ?? -1,
        weights,
        readBackBlock: to.block.number,
        readBack: weights.length > 0 && sameRow(weights, claimAt(claims, hotkey, to.block.number)?.row ?? []),
        audit: audits.get(hotkey) ?? null,
        dividends: neuronOf(hotkey)?.dividends ?? 0,
        emissionRao: String(grown(from.books, to.books, hotkey)),
      }
    }),
    issuedRao: String(to.books.issued - from.books.issued),
    paid: {
      miners: String(paid.miners),
      validators: String(paid.validators),
      owner: String(paid.owner),
      pending: String(paid.pending),
      burned: String(paid.burned),
      dust: String(paid.dust),
    },
    ...training,
  }
}

/** The newest row that a validator says was in force at a block. */
const claimAt = (claims: readonly Claim[], hotkey: Ss58, block: number): Claim | undefined =>
  claims.findLast((claim) => claim.hotkey === hotkey && claim.includedAt <= block)

const sameRow = (a: readonly (readonly [number, number])[], b: readonly (readonly [number, number])[]): boolean =>
  a.length === b.length && a.every(([uid, weight], i) => b[i]?.[0] === uid && b[i]?.[1] === weight)
