import { Box, render, Text } from 'ink'
import { createElement as h, type ReactElement } from 'react'
import { alpha, gatewayLines } from './plain.ts'
import { explain, type MinerView, type NetState, type ValidatorView } from './state.ts'
import { type Cell, Table } from './table-view.ts'
import { MergingValidators, TrainedMiners, TrainingLine } from './training/screen.ts'
import type { TrainingView } from './training/state.ts'

/** A screen that shows the newest state until it is closed. */
export interface Screen {
  show(state: NetState): void
  close(): void
}

/** Draws the live view on a terminal. */
export function openScreen(first: NetState): Screen {
  const app = render(h(View, { state: first }), { exitOnCtrlC: false, patchConsole: false })
  return { show: (state) => app.rerender(h(View, { state })), close: () => app.unmount() }
}

/** The whole view as one element. */
export function View({ state }: { readonly state: NetState }): ReactElement {
  return h(
    Box,
    { flexDirection: 'column', paddingX: 1 },
    h(Headline, { state }),
    ...(state.training === null ? answering(state) : training(state, state.training)),
    ...(state.gateway === null ? [] : gatewayLines(state.gateway)).map((text) => h(Text, { key: text }, text)),
    ...state.warnings.map((text) => h(Text, { key: text, color: 'yellow' }, `! ${text}`)),
    h(Text, { dimColor: true }, 'Ctrl-C stops everything'),
  )
}

const answering = (state: NetState): readonly ReactElement[] => [
  h(Table, {
    key: 'miners',
    title: 'miner',
    widths: minerWidths,
    columns: ['uid', 'runs', 'verdicts', 'incentive', 'earned', 'because'],
    rows: state.miners.map(minerCells),
  }),
  h(Table, {
    key: 'validators',
    title: 'validator',
    widths: validatorWidths,
    columns: ['uid', 'permit', 'weights', 'dividends', 'earned', 'read back'],
    rows: state.validators.map(validatorCells),
  }),
]

const training = (state: NetState, view: TrainingView): readonly ReactElement[] => [
  h(TrainingLine, { key: 'line', training: view }),
  h(TrainedMiners, { key: 'miners', state }),
  h(MergingValidators, { key: 'validators', state }),
]

function Headline({ state }: { readonly state: NetState }): ReactElement {
  const { block, epoch, nextEpochBlock, rounds } = state
  const chain =
    block === null
      ? state.phase
      : `block ${block} · epoch ${epoch} · next epoch at block ${nextEpochBlock}${state.training === null ? ` · ${rounds} rounds` : ''}`
  return h(
    Box,
    { flexDirection: 'column', marginBottom: 1 },
    h(Text, { bold: true, color: 'green' }, `arbor · subnet ${state.netuid}`),
    h(Text, null, chain),
    h(Text, { dimColor: true }, state.url === null ? ' ' : `${state.phase} · chain ${state.url}`),
  )
}

/** Columns of 118 in all; the last shrinks on a narrower terminal. */
const minerWidths = [10, 4, 21, 21, 10, 11, 41]
const validatorWidths = [13, 5, 9, 36, 11, 13, 31]

const minerCells = (miner: MinerView): readonly Cell[] => [
  { text: miner.name },
  { text: String(miner.uid ?? '-') },
  miner.kind === 'honest' ? { text: miner.kind } : { text: miner.kind, color: 'red' },
  { text: verdicts(miner) },
  { text: miner.incentive.toFixed(4) },
  { text: alpha(miner.earned) },
  miner.lastReason === null || miner.lastReason === 'ok'
    ? { text: explain(miner.lastReason), color: 'green' }
    : { text: explain(miner.lastReason), color: 'red' },
]

const verdicts = (miner: MinerView): string =>
  Object.entries(miner.verdicts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ') || '-'

const validatorCells = (validator: ValidatorView): readonly Cell[] => [
  { text: validator.name },
  { text: String(validator.uid ?? '-') },
  { text: validator.permit ? 'yes' : 'not yet' },
  { text: validator.weights.map(([uid, weight]) => `${uid}:${Math.round((weight / 65_535) * 100)}%`).join(' ') || '-' },
  { text: validator.dividends.toFixed(4) },
  { text: alpha(validator.earned) },
  validator.weights.length === 0 || validator.readBackBlock === null
    ? { text: 'none set yet' }
    : { text: `from the chain at block ${validator.readBackBlock}`, color: 'green' },
]
