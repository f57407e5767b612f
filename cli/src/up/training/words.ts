import type { Hex } from '@arbor/shared/units'

const BARS = '▁▂▃▄▅▆▇█'

/** Draws numbers as a row of bars, the smallest lowest; only the newest where there are more than fit. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width)
  const low = Math.min(...shown)
  const range = Math.max(...shown) - low
  return shown
    .map((value) => BARS[range === 0 ? 0 : Math.round(((value - low) / range) * (BARS.length - 1))] ?? ' ')
    .join('')
}

/** Writes a number of bytes for people: three digits and a unit. */
export const bytes = (count: number): string => scaled(count, ['B', 'kB', 'MB', 'GB', 'TB'])

/** Writes a number of tokens for people. */
export const count = (tokens: number): string => scaled(tokens, ['', 'k', 'M', 'G']).trimEnd()

const scaled = (value: number, units: readonly string[]): string => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  const number = value / 1_000 ** power
  return `${power === 0 ? String(value) : number.toPrecision(3)} ${units[power] ?? ''}`
}

/** Shortens a file's name to what tells it from others on a screen. */
export const short = (name: Hex): string => name.slice(2, 12)
