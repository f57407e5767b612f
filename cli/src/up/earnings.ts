import { table } from '../table.ts'
import { alpha } from './plain.ts'
import type { MinerView, NetState } from './state.ts'

/** Writes what each miner earned, in the order of the net: honest ones first, then each attack beside them. */
export function earnings({ miners }: NetState): readonly string[] {
  const honest = miners.filter(({ kind }) => kind === 'honest').map(({ earned }) => earned)
  const usual = honest.reduce((sum, amount) => sum + amount, 0n) / BigInt(Math.max(1, honest.length))
  const rows = miners.map((miner) => [
    miner.kind,
    String(miner.uid ?? '-'),
    verdicts(miner),
    miner.incentive.toFixed(4),
    alpha(miner.earned),
    usual === 0n ? '-' : `${Number((miner.earned * 1_000n) / usual) / 10}%`,
  ])
  return table(['miner', 'uid', 'verdicts', 'incentive', 'earned', 'of an honest one'], rows)
}

const verdicts = ({ verdicts }: MinerView): string =>
  Object.entries(verdicts)
    .sort(([, first], [, second]) => second - first)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ') || '-'
