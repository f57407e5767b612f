import type { VerdictRow } from './verdict-row.ts'

/** What a miner is judged by when its clock and ours differ. */
const OF_TIME: readonly string[] = ['clock', 'certificate-expired']

/**
 * Takes out the verdicts that our own clock brought about: when more miners say that it is wrong, or seem to live in another time, than
 * signed an answer by it, the fault is ours, and nobody is judged for it. The others' verdicts stay.
 */
export const withoutOwnClock = (verdicts: readonly VerdictRow[]): readonly VerdictRow[] => {
  const disagree = verdicts.filter(({ reason }) => OF_TIME.includes(reason)).length
  const agree = verdicts.filter(({ signed }) => signed).length
  return disagree > agree ? verdicts.filter(({ reason }) => !OF_TIME.includes(reason)) : verdicts
}
