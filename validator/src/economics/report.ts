import { z } from 'zod'

const checks = z.strictObject({ checks: z.number(), seconds: z.number(), prefilled: z.number() })
/** What `arbor validator economics` prints with --json; amounts in rao, of one unit: an alpha is taken for a TAO. */
export const economicsSchema = z.strictObject({
  netuid: z.number(),
  block: z.number(),
  spec: z.string(),
  burnRao: z.string(),
  minersPaid: z.number(),
  /** Of the average miner that is paid. */
  emissionPerRoundRao: z.number(),
  forfeitRounds: z.number(),
  idleRounds: z.number(),
  /** What being found costs. */
  lossRao: z.number(),
  /** Detection in an epoch that is wanted. */
  wanted: z.number(),
  outlook: z.strictObject({
    answers: z.number(),
    chunks: z.number(),
    loss: z.number(),
    share: z.number(),
    look: z.number(),
    lookCost: z.number(),
    audits: z.number(),
    isEnough: z.boolean(),
    cheats: z.array(
      z.strictObject({
        name: z.string(),
        saving: z.number(),
        detection: z.number(),
        found: z.number(),
        profit: z.number(),
        bestProfit: z.number(),
        bestFraction: z.number(),
        unaudited: z.number(),
      }),
    ),
  }),
  /** The last audited epoch of the data folder. */
  epoch: z
    .strictObject({
      epoch: z.number(),
      planned: checks,
      users: checks,
      answers: z.number(),
      tokens: z.number(),
      miners: z.array(
        z.strictObject({
          uid: z.number(),
          hotkey: z.string(),
          answers: z.number(),
          audited: z.number(),
          failed: z.number(),
          found: z.number(),
        }),
      ),
    })
    .nullable(),
})
export type Economics = z.infer<typeof economicsSchema>

/** Tells a person what audits cost and prevent. */
export const linesOf = (of: Economics): readonly string[] => {
  const { outlook } = of
  return [
    `subnet ${of.netuid} at block ${of.block}, spec ${of.spec}`,
    `at stake  an average miner earns ${rao(of.emissionPerRoundRao)} α a round; a registration costs ${rao(Number(of.burnRao))} τ`,
    `when found, it has no weight for ${of.forfeitRounds} rounds, or registers anew and waits ${of.idleRounds}: ${rao(of.lossRao)} lost`,
    `audits    of ${outlook.answers} answers a round with ${outlook.chunks} chunks each, ${percent(outlook.share)} are drawn (${outlook.audits.toFixed(1)}), and ${outlook.look} chunks of each looked at: ${percent(outlook.share * outlook.lookCost)} of a check of everything`,
    ...(outlook.isEnough
      ? []
      : [`          even that is not enough for ${percent(of.wanted)} and a loss of every cheat`]),
    '',
    row('cheat', 'saves', 'seen in one', 'found in an epoch', 'profit a round, α', 'at its best', 'unaudited'),
    ...outlook.cheats.map((cheat) =>
      row(
        cheat.name,
        percent(cheat.saving),
        percent(cheat.detection),
        percent(cheat.found),
        rao(cheat.profit),
        `${rao(cheat.bestProfit)} (${percent(cheat.bestFraction)})`,
        rao(cheat.unaudited),
      ),
    ),
    ...(of.epoch === null ? [] : epochLines(of.epoch)),
  ]
}

const epochLines = (epoch: NonNullable<Economics['epoch']>): readonly string[] => {
  const { planned, users, answers, tokens } = epoch
  const perToken = tokens === 0 ? 'none served' : `${((1_000 * users.seconds) / tokens).toFixed(3)} ms a served token`
  return [
    '',
    `epoch ${epoch.epoch} of this validator: ${planned.checks} planned answers checked in ${planned.seconds.toFixed(2)} s of a thread, ${users.checks} of ${answers} users' answers in ${users.seconds.toFixed(2)} s (${perToken})`,
    ...epoch.miners.map(
      ({ uid, answers: given, audited, failed, found }) =>
        `  uid ${uid}: ${given} answers, ${audited} audited, ${failed} failed; a cheat in all of them would have been found with ${percent(found)}`,
    ),
  ]
}

const WIDTHS = [38, 7, 12, 18, 18, 20, 12]
const row = (...cells: readonly string[]): string =>
  cells
    .map((cell, index) => (index === 0 ? cell.padEnd(WIDTHS[0] ?? 0) : cell.padStart(WIDTHS[index] ?? 0)))
    .join('')
    .trimEnd()
const rao = (value: number): string => String(Number((value / 1e9).toPrecision(4)))
const percent = (value: number): string => `${Number((100 * value).toPrecision(4))} %`
