import type { AuditReport } from './report.ts'

/** Tells a person what an audit found, in a few lines. */
export const linesOf = (report: AuditReport): readonly string[] => {
  const { blocks, entries, head, row, recomputed } = report
  const kinds = entries.kinds
  return [
    `validator ${report.validator} (uid ${report.uid}), subnet ${report.netuid}, epoch ${report.epoch} (blocks ${blocks.first} to ${blocks.last})`,
    `log ${report.url}: entries ${entries.from} to ${entries.to} of ${head.size}, head signed at block ${head.block}${anchoredText(report)}`,
    `read: ${count(kinds.round, 'round')}, ${count(kinds.verdict, 'verdict')}, ${count(kinds.forfeit, 'forfeit')}, ${count(kinds.row, 'row')}`,
    `the chain's row:  ${rowText(row)}`,
    `recomputed:       ${rowText(recomputed)}`,
    ...sampleLines(report),
    ...comparedLines(report),
    ...mismatchLines(report),
    verdictLine(report),
    'not shown:',
    ...report.unproven.map((what) => `  - ${what}`),
  ]
}

const count = (n: number | undefined, what: string): string => `${n ?? 0} ${what}${n === 1 ? '' : 's'}`

const anchoredText = ({ anchors }: AuditReport): string => {
  const held = anchors.filter(({ by }) => by === 'chain')
  return held.length === 0
    ? ', not anchored'
    : `, goes on from the roots anchored at ${held.map(({ block }) => `block ${block}`).join(', ')}`
}

const SHOWN = 12

const rowText = (row: AuditReport['row']): string => {
  if (row === null) return 'none known'
  if (row.length === 0) return 'empty'
  const some = row.slice(0, SHOWN).map(([uid, weight]) => `${uid}:${weight}`)
  return `${some.join(' ')}${row.length > SHOWN ? ` and ${row.length - SHOWN} more` : ''}`
}

const sampleLines = ({ sample }: AuditReport): readonly string[] =>
  sample === null
    ? []
    : [
        `sample: ${sample.drawn} answers drawn by block ${sample.seedBlock}, ${sample.judged} judged again by the model, ${sample.missing.length} no longer kept by the log`,
      ]

const comparedLines = ({ compared }: AuditReport): readonly string[] => {
  if (compared === null) return []
  const pairs = Object.entries(compared.pairs).sort(([, a], [, b]) => b - a)
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
  return [
    `compared with ${compared.with}: ${compared.rounds.both} rounds in common, ${compared.verdicts} questions, ${compared.differences.length} with another outcome`,
    ...pairs.slice(0, SHOWN).map(([pair, times]) => `  ${pair}: ${times}`),
    `  rounds of this one alone: ${compared.rounds.first.length}, of the other alone: ${compared.rounds.second.length}`,
    `  the rows differ by ${percent(compared.distance)} of what they pay${compared.explained === null ? '' : `; these outcomes explain ${percent(compared.explained)} of that`}`,
  ]
}

const mismatchLines = ({ firstMismatch: found }: AuditReport): readonly string[] =>
  found === null
    ? []
    : [
        `first mismatch: ${found.position === null ? '' : `entry ${found.position}, `}${found.kind}: ${found.what}`,
        `  expected: ${JSON.stringify(found.expected)}`,
        `  found:    ${JSON.stringify(found.found)}`,
      ]

const verdictLine = ({ verdict }: AuditReport): string =>
  ({
    equal: 'equal: the row follows from the receipts, byte for byte',
    different: 'DIFFERENT: the row does not follow from what the validator serves',
    undecided: 'undecided: nothing was found wrong, and the chain or the log no longer has what it takes to say more',
  })[verdict]
