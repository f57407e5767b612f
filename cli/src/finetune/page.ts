import { printable } from '@arbor/shared/printable'
import { bytes, count } from '../up/training/words.ts'
import { escaped, type Line, lineChart } from './chart.ts'
import { type HistoryRound, type MinerHistory, minersOf, type TrainingHistory } from './history.ts'

/** Lines that are told apart by colour; the others are grey. */
const COLOURS = 8

/** Writes a run's history as one page that needs nothing else: no script, no font, no picture from elsewhere; light and dark. */
export function reportPage(history: TrainingHistory): string {
  const { spec, rounds } = history
  const miners = minersOf(history)
  const title = `Fine-tuning ${spec.name}, version ${spec.version}`
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${text(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${text(title)}</h1>`,
    summary(history, miners),
    '<h2>Held-out loss</h2>',
    lossChart(rounds),
    '<h2>Ratings</h2>',
    ratingChart(miners),
    '<h2>Miners</h2>',
    minerTable(miners),
    '<h2>Checkpoints</h2>',
    checkpointTable(rounds),
    '</main></body></html>\n',
  ].join('\n')
}

const summary = ({ rounds }: TrainingHistory, miners: readonly MinerHistory[]): string => {
  const losses = measured(rounds)
  const [first, last] = [losses.at(0), losses.at(-1)]
  const sent = miners.reduce((sum, miner) => sum + miner.bytes, 0)
  const tokens = rounds.reduce((sum, round) => sum + round.tokens, 0)
  const facts: readonly (readonly [string, string])[] = [
    ['Rounds', rounds.length === 0 ? 'none yet' : `${rounds.length}, the last is ${rounds.at(-1)?.round}`],
    [
      'Held-out loss',
      first === undefined || last === undefined
        ? 'not measured'
        : `${fixed(first.heldOut)} → ${fixed(last.heldOut)} nats a token`,
    ],
    ['Tokens of merged updates', count(tokens)],
    ['Sent by miners', bytes(sent)],
    ['Newest checkpoint', rounds.at(-1)?.checkpoint ?? 'none yet'],
  ]
  return `<dl>${facts.map(([what, value]) => `<div><dt>${text(what)}</dt><dd>${text(value)}</dd></div>`).join('')}</dl>`
}

const measured = (rounds: readonly HistoryRound[]): readonly (HistoryRound & { readonly heldOut: number })[] =>
  rounds.flatMap((round) =>
    round.heldOut === null || !Number.isFinite(round.heldOut) ? [] : [{ ...round, heldOut: round.heldOut }],
  )

const lossChart = (rounds: readonly HistoryRound[]): string => {
  const points = measured(rounds).map(({ round, heldOut, merged }) => ({
    x: round,
    y: heldOut,
    says: `round ${round}: ${fixed(heldOut)} nats a token after ${merged.length} updates`,
  }))
  const lines: readonly Line[] = [{ label: fixed(points.at(-1)?.y ?? 0), colour: 'c0', points }]
  return points.length === 0
    ? '<p>No loss was measured yet.</p>'
    : lineChart({ title: 'Held-out loss by round', xLabel: 'round', yLabel: 'nats a token', lines })
}

const ratingChart = (miners: readonly MinerHistory[]): string => {
  const lines = miners.map(({ uid, ratings }, index): Line => {
    const points = ratings.map(({ round, mu, sigma }) => ({
      x: round,
      y: mu,
      says: `uid ${uid}, round ${round}: ${mu.toFixed(1)} ± ${sigma.toFixed(1)}`,
    }))
    return { label: `uid ${uid}`, colour: index < COLOURS ? `c${index}` : 'other', points }
  })
  return lines.every(({ points }) => points.length === 0)
    ? '<p>Nobody was rated yet.</p>'
    : lineChart({ title: "Miners' ratings by round", xLabel: 'round', yLabel: 'rating', lines })
}

const minerTable = (miners: readonly MinerHistory[]): string =>
  table(
    ['uid', 'hotkey', 'rating', 'verdicts', 'sent'],
    miners.map(({ uid, hotkey, ratings, reasons, bytes: sent }) => {
      const last = ratings.at(-1)
      return [
        String(uid),
        hotkey,
        last === undefined ? 'none' : `${last.mu.toFixed(1)} ± ${last.sigma.toFixed(1)}`,
        Object.entries(reasons)
          .sort(([, a], [, b]) => b - a)
          .map(([reason, times]) => `${reason} ${times}`)
          .join(', '),
        bytes(sent),
      ]
    }),
  )

const checkpointTable = (rounds: readonly HistoryRound[]): string =>
  table(
    ['after round', 'checkpoint', 'merged uids', 'held-out loss'],
    rounds
      .toReversed()
      .map(({ round, checkpoint, merged, heldOut }) => [
        String(round),
        checkpoint,
        merged.join(', ') || 'none',
        heldOut === null ? 'not measured' : fixed(heldOut),
      ]),
  )

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? '<p>None yet.</p>'
    : `<div class="scroll"><table><thead><tr>${head.map((cell) => `<th>${text(cell)}</th>`).join('')}</tr></thead><tbody>${rows
        .map((cells) => `<tr>${cells.map((cell) => `<td>${text(cell)}</td>`).join('')}</tr>`)
        .join('')}</tbody></table></div>`

/** Others wrote hotkeys and reasons. */
const text = (value: string): string => escaped(printable(value))
const fixed = (loss: number): string => loss.toFixed(4)

const LIGHT = ['#1f6fb2', '#c4572d', '#2b8a57', '#8a4fb0', '#a87900', '#b83a6b', '#2a8c94', '#6b6f1f']
const DARK = ['#6cb3ec', '#f0936b', '#6ccb95', '#c79be6', '#e0b64a', '#ee86ae', '#6fd0d6', '#c0c464']
const colours = (list: readonly string[]): string => list.map((colour, index) => `--c${index}:${colour}`).join(';')

const STYLE = [
  `:root{color-scheme:light dark;--back:#fbfbf9;--text:#1d1f21;--soft:#686c70;--grid:#e3e3de;--other:#a0a3a6;${colours(LIGHT)}}`,
  `@media (prefers-color-scheme:dark){:root{--back:#16181a;--text:#e6e6e3;--soft:#9a9ea2;--grid:#2c2f32;--other:#6f7376;${colours(DARK)}}}`,
  'body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}',
  'main{max-width:820px;margin:0 auto;padding:24px 20px 48px}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}',
  'dl{display:grid;gap:4px}dl div{display:flex;flex-wrap:wrap;gap:0 12px}dt{color:var(--soft);min-width:13rem}dd{margin:0;overflow-wrap:anywhere}',
  'svg{width:100%;height:auto;display:block}.grid{stroke:var(--grid)}.tick,.axis{fill:var(--soft);font-size:11px}.name{font-size:12px}',
  '.line{fill:none;stroke-width:2;stroke-linejoin:round}.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%}',
  'th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--grid);font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:500}',
  ...[...LIGHT.keys()].map((index) => colourRules(`c${index}`)),
  colourRules('other'),
].join('\n')

function colourRules(name: string): string {
  return `.line.${name}{stroke:var(--${name})}.dot.${name},.name.${name}{fill:var(--${name})}`
}
