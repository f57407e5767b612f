import { EXCUSED } from './excused.ts'
import { allPoints } from './points.ts'
import { type Summary, transitionOf } from './summary.ts'

/** Draws the part of docs/chaos.md that the long form makes. */
export const resultsOf = (summary: Summary): string => {
  const { outcomes, recovery, most, audited } = summary
  const owed = outcomes.done + outcomes.missed
  const rows: readonly (readonly [string, string])[] = [
    ['seeds, epochs, blocks', `${summary.seeds.length}, ${grouped(summary.epochs)}, ${grouped(summary.blocks)}`],
    ['epochs × validators in which the rules allowed weights', grouped(owed)],
    [
      'of these with weights set, or with the row held already',
      `${grouped(outcomes.done)} (${share(outcomes.done, owed)})`,
    ],
    ['excused', named(outcomes.excused)],
    [
      'rows that were called confirmed; false claims among them',
      `${grouped(summary.confirmed)}; ${summary.falseClaims}`,
    ],
    ['rounds, verdicts', `${grouped(summary.rounds)}, ${grouped(summary.verdicts)}`],
    ['violations of any kind', String(summary.violations.length)],
    [
      'entries of logs replayed; rows in them; rows of two validators from the same receipts that were compared',
      `${grouped(audited.entries)}; ${grouped(audited.rows)}; ${grouped(audited.compared)}`,
    ],
    ['extrinsics sent, none twice', grouped(summary.sent)],
    ['kills at chosen writes', grouped(sum(summary.kills))],
    ['ends of validator processes', named(summary.endings)],
    [
      'start after a kill until the first step is done, several runs at once on two cores',
      `p50 ${seconds(recovery.p50)}, p95 ${seconds(recovery.p95)}, most ${seconds(recovery.most)} (${grouped(recovery.starts)} starts)`,
    ],
    ['most memory, descriptors, sockets of a validator', `${most.rssMb} MB, ${most.descriptors}, ${most.sockets}`],
  ]
  return [
    `${summary.machine}, ${summary.date}, ${summary.minutes} minutes of runs, several at once on a machine that had other work.`,
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
    '',
    '### Faults',
    '',
    '| fault | times |',
    '|---|---|',
    ...Object.entries(summary.faults).map(([kind, times]) => `| ${kind} | ${times} |`),
    '',
    '### Kills',
    '',
    'At each write that moves a machine, immediately before and after it. The list is made of the tables by which the product refuses other moves.',
    '',
    '| write | before | after |',
    '|---|---|---|',
    ...transitions().map(
      (name) =>
        `| ${name.replace(':', ': ').replace('>', ' → ')} | ${timesOf(summary, name, 'before')} | ${timesOf(summary, name, 'after')} |`,
    ),
    '',
    ...excuses(),
  ].join('\n')
}

const transitions = (): readonly string[] => [...new Set(allPoints().map(({ name }) => transitionOf(name)))]

const timesOf = ({ kills }: Summary, transition: string, when: string): string => {
  const times = kills[`${transition}:${when}`] ?? 0
  if (times > 0) return String(times)
  return EXCUSED[transition] === undefined ? '**0**' : 'excused'
}

const excuses = (): readonly string[] =>
  Object.entries(EXCUSED).length === 0
    ? []
    : ['Excused:', '', ...Object.entries(EXCUSED).map(([name, why]) => `- \`${name}\`: ${why}`), '']

const named = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${name} ${grouped(n)}`)
    .join(', ') || 'none'
const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)
const share = (part: number, of: number): string => (of === 0 ? 'none' : `${((100 * part) / of).toFixed(2)} %`)
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ' ')

const MARK = '<!-- results: node scripts/chaos.ts -->'

/** Puts the results into the page, in the place of those that it had. */
export const withResults = (page: string, summary: Summary): string => {
  const at = page.indexOf(MARK)
  if (at < 0) throw new Error(`docs/chaos.md has no line "${MARK}"`)
  return `${page.slice(0, at + MARK.length)}\n\n${resultsOf(summary)}`
}
