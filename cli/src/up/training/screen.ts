import { Box, Text } from 'ink'
import { createElement as h, type ReactElement } from 'react'
import { alpha } from '../plain.ts'
import type { MinerView, NetState, ValidatorView } from '../state.ts'
import { type Cell, Table } from '../table-view.ts'
import { agreed, checkpointOf, explainUpdate, type TrainingView } from './state.ts'
import { bytes, count, short, sparkline } from './words.ts'

/** Rounds whose losses fit in the line. */
const SPARKS = 40

/** How the model does: round, phase, tokens, and its loss on data that nobody trains on. */
export function TrainingLine({ training }: { readonly training: TrainingView }): ReactElement {
  const { round, phase, tokens, checkpoints } = training
  const losses = checkpoints.flatMap(({ loss }) => (loss === null ? [] : [loss]))
  const [first, last] = [losses.at(0), losses.at(-1)]
  const where = round === null ? 'no round yet' : `round ${round}: ${phase}`
  const loss =
    first === undefined || last === undefined
      ? 'held-out loss not measured yet'
      : `held-out loss ${first.toFixed(3)} → ${last.toFixed(3)}`
  return h(
    Box,
    { marginBottom: 1 },
    h(Text, { wrap: 'truncate-end' }, `${where} · ${count(tokens)} tokens · ${loss} `),
    h(Text, { color: 'cyan' }, losses.length === 0 ? '' : sparkline(losses, SPARKS)),
  )
}

/** Columns of 118 in all. */
const minerWidths = [10, 4, 20, 13, 10, 10, 12, 39]
const validatorWidths = [13, 5, 22, 36, 10, 12, 20]

/** Miners that train: their rating, what they sent and earned, and why their newest update counted or not. */
export const TrainedMiners = ({ state }: { readonly state: NetState }): ReactElement =>
  h(Table, {
    title: 'miner',
    widths: minerWidths,
    columns: ['uid', 'runs', 'rating', 'incentive', 'sent', 'earned', 'because'],
    rows: state.miners.map((miner) => minerCells(miner, state.training)),
  })

const minerCells = (miner: MinerView, training: TrainingView | null): readonly Cell[] => {
  const trained = training?.miners.find(({ hotkey }) => hotkey === miner.hotkey)
  const rating = trained?.rating ?? null
  const reason = trained?.reason ?? null
  return [
    { text: miner.name },
    { text: String(miner.uid ?? '-') },
    miner.kind === 'honest' ? { text: miner.kind } : { text: miner.kind, color: 'red' },
    { text: rating === null ? '-' : `${rating.mu.toFixed(1)} ± ${rating.sigma.toFixed(1)}` },
    { text: miner.incentive.toFixed(4) },
    { text: bytes(trained?.bytes ?? 0) },
    { text: alpha(miner.earned) },
    { text: explainUpdate(reason), color: reason === null || reason === 'ok' ? 'green' : 'red' },
  ]
}

/** Validators that merge: the checkpoint that each has, green where all that have it name the same. */
export const MergingValidators = ({ state }: { readonly state: NetState }): ReactElement =>
  h(Table, {
    title: 'validator',
    widths: validatorWidths,
    columns: ['uid', 'checkpoint', 'weights', 'dividends', 'earned', 'read back'],
    rows: state.validators.map((validator) => validatorCells(validator, state.training)),
  })

const validatorCells = (validator: ValidatorView, training: TrainingView | null): readonly Cell[] => {
  const held = training === null ? null : checkpointOf(training, validator.hotkey)
  const seen = training?.checkpoints.find(({ round }) => round === held?.round)
  const checkpoint = held === null ? '-' : `round ${held.round}: ${short(held.name)}`
  return [
    { text: validator.name },
    { text: String(validator.uid ?? '-') },
    { text: checkpoint, ...(seen === undefined ? {} : { color: agreed(seen) ? 'green' : 'red' }) },
    {
      text: validator.weights.map(([uid, weight]) => `${uid}:${Math.round((weight / 65_535) * 100)}%`).join(' ') || '-',
    },
    { text: validator.dividends.toFixed(4) },
    { text: alpha(validator.earned) },
    { text: validator.weights.length === 0 ? 'none set yet' : `block ${validator.readBackBlock ?? '-'}` },
  ]
}
