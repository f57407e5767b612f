import type { Ss58 } from '@arbor/shared/units'
import { registrationKey } from '../scores.ts'
import type { CountedValidator } from './consensus.ts'
import { HELD_WITHIN, type TrustRead } from './read.ts'
import type { LedgerReasons } from './reasons.ts'
import type { VtrustReport } from './report.ts'

/** Below so many validators one that deviates, or copies, moves what everybody earns. */
const FEW_VALIDATORS = 4
/** Share of what is lost that is named. */
const NAMED = 0.9
const U16 = 65_535

/** Puts together which validator's weights consensus follows, and which miners make the difference to one of them. */
export function explain(of: {
  readonly netuid: number
  readonly read: TrustRead
  /** Who is explained; null for nobody. */
  readonly hotkey: Ss58 | null
  readonly reasons: LedgerReasons | null
}): VtrustReport {
  const { read, netuid } = of
  const { consensus, metagraph, input } = read
  const validators = consensus.validators.map(({ uid, stake, row, trust }) => {
    const neuron = metagraph.neurons[uid]
    return { uid, hotkey: neuron?.hotkey ?? '', stake, weights: row.size, trust, held: neuron?.validatorTrust ?? 0 }
  })
  const deciding = decidingOf(consensus.validators, input.kappa)
  return {
    netuid,
    basis: read.basis,
    block: read.block.number,
    kappa: input.kappa,
    validators,
    deciding,
    explained: of.hotkey === null ? null : explained(read, of.hotkey, of.reasons),
    warnings: warningsOf({ read, deciding }),
  }
}

/** Counts the fewest validators that together hold kappa of the stake. */
const decidingOf = (validators: readonly CountedValidator[], kappa: number): number => {
  const stakes = validators.map(({ stake }) => stake).sort((a, b) => b - a)
  let held = 0
  return (
    stakes.findIndex((stake) => {
      held += stake
      return held >= kappa - 1 / U16
    }) + 1
  )
}

function explained(
  { consensus, metagraph, input }: TrustRead,
  hotkey: Ss58,
  reasons: LedgerReasons | null,
): VtrustReport['explained'] {
  const me = metagraph.neurons.find((neuron) => neuron.hotkey === hotkey)
  if (me === undefined) return null
  const own = consensus.rows.get(me.uid) ?? new Map<number, number>()
  const others = consensus.validators.filter(({ uid }) => uid !== me.uid)
  const uids = metagraph.neurons
    .map(({ uid }) => uid)
    .filter((uid) => (own.get(uid) ?? 0) > 0 || others.some(({ row }) => (row.get(uid) ?? 0) > 0))
  const miners = uids.map((uid) => {
    const weight = own.get(uid) ?? 0
    const supported = consensus.consensus[uid] ?? 0
    const neuron = input.neurons[uid]
    return {
      uid,
      hotkey: neuron?.hotkey ?? '',
      own: weight,
      consensus: supported,
      clipped: Math.max(0, weight - supported),
      others: others.map(({ uid: by, stake, row }) => ({ uid: by, stake, weight: row.get(uid) ?? 0 })),
      verdicts: (neuron === undefined ? undefined : reasons?.of.get(registrationKey(neuron))) ?? null,
    }
  })
  miners.sort((a, b) => b.clipped - a.clipped || a.uid - b.uid)
  const trust = consensus.trust.get(me.uid) ?? 0
  const stake = consensus.validators.find(({ uid }) => uid === me.uid)?.stake ?? 0
  return { uid: me.uid, hotkey, stake, trust, held: me.validatorTrust, miners, difference: differenceOf(miners) }
}

/** Names the fewest miners that make nine tenths of what is lost; what the chain's own rounding takes is nobody's. */
const differenceOf = (miners: readonly { readonly uid: number; readonly clipped: number }[]): number[] => {
  const lost = miners.filter(({ clipped }) => clipped > 1 / U16)
  const total = lost.reduce((sum, { clipped }) => sum + clipped, 0)
  const named: number[] = []
  let sum = 0
  for (const { uid, clipped } of lost) {
    if (sum >= NAMED * total) break
    sum += clipped
    named.push(uid)
  }
  return named
}

function warningsOf({ read, deciding }: { readonly read: TrustRead; readonly deciding: number }): string[] {
  const { length } = read.consensus.validators.filter(({ row }) => row.size > 0)
  const silent = read.consensus.validators.filter(({ row }) => row.size === 0)
  const { consensus, metagraph, basis } = read
  const off = metagraph.neurons.filter(
    ({ uid, validatorTrust }) => Math.abs(validatorTrust - (consensus.trust.get(uid) ?? 0)) > HELD_WITHIN,
  )
  return [
    ...(length < FEW_VALIDATORS
      ? [
          `only ${length} validators set weights that count, fewer than ${FEW_VALIDATORS}: a small one that gives a miner too little is not clipped, and moves what all earn (docs/scores.md)`,
        ]
      : []),
    ...silent.map(
      ({ uid, stake }) =>
        `uid ${uid} counts with ${(100 * stake).toFixed(1)} % of the stake and gives nobody a weight: that counts as zero for all`,
    ),
    ...(deciding === 1 && length > 1 ? ['one validator alone holds enough stake to decide consensus'] : []),
    ...(basis === 'now'
      ? ['the chain node keeps no state of the last epoch: trust on the chain is of other rows than these']
      : []),
    ...(basis === 'epoch' && off.length > 0
      ? [
          `the chain holds another validator trust for uid ${off.map(({ uid }) => uid).join(', ')} than mechanism 0 leads to: it has further mechanisms, or counts otherwise`,
        ]
      : []),
  ]
}
