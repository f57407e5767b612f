import { Box, render, Text } from 'ink'
import { createElement as h, type ReactElement } from 'react'
import { alpha, gatewayLines } from './plain.ts'
import { explain, type MinerView, type NetState, type ValidatorView } from './state.ts'

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
    h(Table, {
      title: 'miner',
      widths: minerWidths,
      columns: ['uid', 'runs', 'verdicts', 'incentive', 'earned', 'because'],
      rows: state.miners.map(minerCells),
    }),
    h(Table, {
      title: 'validator',
      widths: validatorWidths,
      columns: ['uid', 'permit', 'weights', 'dividends', 'earned', 'read back'],
      rows: state.validators.map(validatorCells),
    }),
    ...(state.gateway === null ? [] : gatewayLines(state.gateway)).map((text) => h(Text, { key: text }, text)),
    ...state.warnings.map((text) => h(Text, { key: text, color: 'yellow' }, `! ${text}`)),
    h(Text, { dimColor: true }, 'Ctrl-C stops everything'),
  )
}

function Headline({ state }: { readonly state: NetState }): ReactElement {
  const { block, epoch, nextEpochBlock, rounds } = state
  const chain =
    block === null
      ? state.phase
      : `block ${block} · epoch ${epoch} · next epoch at block ${nextEpochBlock} · ${rounds} rounds`
  return h(
    Box,
    { flexDirection: 'column', marginBottom: 1 },
    h(Text, { bold: true, color: 'green' }, `arbor · subnet ${state.netuid}`),
    h(Text, null, chain),
    h(Text, { dimColor: true }, state.url === null ? ' ' : `${state.phase} · chain ${state.url}`),
  )
}

interface Cell {
  readonly text: string
  readonly color?: string
}

/** Columns of 118 in all; the last shrinks on a narrower terminal. */
const minerWidths = [10, 4, 21, 21, 10, 11, 41]
const validatorWidths = [13, 5, 9, 36, 11, 13, 31]

function Table({
  title,
  widths,
  columns,
  rows,
}: {
  readonly title: string
  readonly widths: readonly number[]
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}): ReactElement {
  const line = (key: string, cells: readonly Cell[], bold: boolean): ReactElement =>
    h(
      Box,
      { key },
      ...cells.map((cell, i) =>
        h(
          Box,
          { key: i, width: widths[i] ?? 12, flexShrink: i === cells.length - 1 ? 1 : 0 },
          h(
            Text,
            { bold, wrap: 'truncate-end', ...(cell.color === undefined ? {} : { color: cell.color }) },
            cell.text,
          ),
        ),
      ),
    )
  const head = [title, ...columns].map((text) => ({ text }))
  return h(
    Box,
    { flexDirection: 'column', marginBottom: 1 },
    line('head', head, true),
    ...rows.map((cells, i) => line(String(i), cells, false)),
  )
}

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
