import type { Fared } from './judge.ts'

/** Makes a guest's row of the table; of the honest miners themselves, a row of all of them. */
export const rowOf = (guest: string, fared: readonly Fared[]): readonly string[] => {
  const honest = fared.filter(({ who }) => who === 'honest')
  const them = fared.filter(({ who }) => who === guest)
  const share = mean(honest.map((one) => one.share))
  const reasons = new Map<string, number>()
  for (const one of them)
    for (const [reason, count] of Object.entries(one.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + count)
  const all = [...reasons.values()].reduce((sum, count) => sum + count, 0)
  const values = them.flatMap((one) => one.values)
  const ratings = them.map(({ rating }) => rating)
  const paid = them.map((one) => (100 * one.share) / share)
  return [
    guest,
    [...reasons]
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', '),
    values.length === 0 ? '–' : `${mean(values).toFixed(2)} ± ${deviation(values).toFixed(2)}`,
    `${(all === 0 ? 0 : (100 * (reasons.get('ok') ?? 0)) / all).toFixed(1)} %`,
    range(ratings, 1),
    `${range(paid, 1)} %`,
  ]
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const deviation = (values: readonly number[]): number => {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}

const range = (values: readonly number[], digits: number): string => {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits))
  return low === high ? `${low}` : `${low}–${high}`
}
