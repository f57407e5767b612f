import { SubnetError } from '@arbor/shared/errors'
import type { Verdict } from '@arbor/subnet-spec/define'

/** A reason is a word of the spec's own, never a miner's text. */
const REASON = /^[a-z][a-z0-9_-]{0,63}$/

/**
 * Expects of a spec's verdict what scores and the ledger rest on.
 * @throws SPEC_VERDICT naming what is wrong with it
 */
export function checkedVerdict(verdict: Verdict): Verdict {
  const { reason, value, sigma } = Object(verdict) as Partial<Verdict>
  if (typeof reason !== 'string' || !REASON.test(reason)) throw invalid(`reason ${JSON.stringify(reason)}`, 'a word')
  if (!within(value, 0, 1)) throw invalid(`value ${value}`, 'a number in 0..1')
  if (!within(sigma, 0, Number.MAX_VALUE)) throw invalid(`sigma ${sigma}`, 'a finite number from 0')
  if (reason !== 'ok' && value !== 0)
    throw invalid(`value ${value} for the reason ${reason}`, '0 unless the reason is ok')
  return { reason, value, sigma }
}

const within = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && value >= min && value <= max

const invalid = (what: string, due: string): SubnetError =>
  new SubnetError({ code: 'SPEC_VERDICT', message: `the spec's score gave ${what}; it must be ${due}` })
