import { z } from 'zod'

/** What `arbor validator explain-vtrust` prints with --json; shares in [0, 1]. */
export const vtrustSchema = z.strictObject({
  netuid: z.number(),
  /** `epoch`: the last epoch; `now`: what an epoch now would come to. */
  basis: z.enum(['epoch', 'now']),
  block: z.number(),
  kappa: z.number(),
  /** All validators whose stake counts. */
  validators: z.array(
    z.strictObject({
      uid: z.number(),
      hotkey: z.string(),
      stake: z.number(),
      /** Miners in its row that count; one without any counts all the same, and gives everybody zero. */
      weights: z.number(),
      /** Recomputed. */
      trust: z.number(),
      /** As the chain holds it. */
      held: z.number(),
    }),
  ),
  /** Fewest validators that together hold kappa of the stake. */
  deciding: z.number(),
  /** The one that is explained; null when none was named. */
  explained: z
    .strictObject({
      uid: z.number(),
      hotkey: z.string(),
      /** Share of the stake that counts; 0 when its stake does not. */
      stake: z.number(),
      trust: z.number(),
      held: z.number(),
      /** By what is lost, the most first. */
      miners: z.array(
        z.strictObject({
          uid: z.number(),
          hotkey: z.string(),
          own: z.number(),
          consensus: z.number(),
          /** What consensus takes of the own weight; these sum to 1 − trust. */
          clipped: z.number(),
          others: z.array(z.strictObject({ uid: z.number(), stake: z.number(), weight: z.number() })),
          /** The own ledger's verdicts of the newest rounds; null where it has none. */
          verdicts: z.strictObject({ reasons: z.record(z.string(), z.number()), value: z.number() }).nullable(),
        }),
      ),
      /** Uids that make nine tenths of what is lost. */
      difference: z.array(z.number()),
    })
    .nullable(),
  warnings: z.array(z.string()),
})
export type VtrustReport = z.infer<typeof vtrustSchema>

/** Tells a person which miners make the difference. */
export const linesOf = (of: VtrustReport): readonly string[] => [
  `subnet ${of.netuid}, ${of.basis === 'epoch' ? `epoch of block ${of.block}` : `as an epoch at block ${of.block} would have it`}; a weight counts as far as ${percent(of.kappa)} of the stake support it`,
  ...of.warnings.map((warning) => `warning   ${warning}`),
  '',
  row('validator', 'stake', 'vtrust', 'on the chain', 'weights'),
  ...of.validators.map(({ uid, stake, weights, trust, held }) =>
    row(`uid ${uid}`, percent(stake), trust.toFixed(4), held.toFixed(4), String(weights)),
  ),
  ...(of.explained === null
    ? ['', 'name a validator with --hotkey or --data to see what it loses, and by which miners']
    : explainedLines(of.explained)),
]

const explainedLines = (of: NonNullable<VtrustReport['explained']>): readonly string[] => [
  '',
  of.difference.length === 0
    ? `uid ${of.uid} loses nothing: no weight of its row is above consensus`
    : `uid ${of.uid} loses ${of.miners.reduce((sum, { clipped }) => sum + clipped, 0).toFixed(4)} of 1, nine tenths of it by uid ${of.difference.join(', ')}`,
  '',
  row('miner', 'own', 'consensus', 'clipped', 'others', 'own verdicts'),
  ...shown(of).map(({ uid, own, consensus, clipped, others, verdicts }) =>
    row(
      `uid ${uid}`,
      own.toFixed(4),
      consensus.toFixed(4),
      clipped.toFixed(4),
      others.map(({ uid: by, weight }) => `${by}:${weight.toFixed(4)}`).join(' ') || '-',
      verdicts === null
        ? '-'
        : Object.entries(verdicts.reasons)
            .map(([reason, n]) => `${n} ${reason}`)
            .join(', '),
    ),
  ),
  ...restOf(of),
]

/** Miners that a person is shown: those that make the difference, and some more. */
const SHOWN = 20
const shown = ({ miners, difference }: NonNullable<VtrustReport['explained']>) =>
  miners.slice(0, Math.max(SHOWN, difference.length))
const restOf = (of: NonNullable<VtrustReport['explained']>): readonly string[] => {
  const rest = of.miners.length - shown(of).length
  return rest === 0 ? [] : [`and ${rest} more, which lose less each: --json has them`]
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const WIDTHS = [11, 10, 11, 12, 30]
const row = (...cells: readonly string[]): string =>
  cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd()
