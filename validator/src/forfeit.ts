import type { Block, Blocks } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Logger } from 'pino'
import type { Exchange } from './exchange.ts'
import type { Forfeit } from './ledger-audits.ts'
import type { Registration } from './scores.ts'

/** Says what a verdict costs its miner beyond the round; null when nothing. */
export const forfeitOf = (
  of: Registration & {
    readonly spec: SubnetSpec
    readonly reason: string
    readonly kind: Exchange['kind']
    readonly receipt: string | null
    readonly atBlock: Block
    /** Blocks of a round. */
    readonly length: Blocks
  },
): Forfeit | null => {
  const { spec, hotkey, uid, registeredAt, reason, kind, receipt, atBlock, length } = of
  if (spec.audit === undefined || !spec.audit.forfeits.includes(reason)) return null
  const untilBlock = (atBlock + spec.audit.forfeitRounds * length) as Block
  return { hotkey, uid, registeredAt, atBlock, untilBlock, kind, reason, receipt }
}

/** Logs a forfeit. */
export function tellForfeit(log: Logger, { uid, hotkey, reason, kind, untilBlock, receipt }: Forfeit): void {
  log.warn(
    { event: 'forfeit', uid, hotkey, reason, kind, untilBlock, receipt },
    `uid ${uid} has no weight until block ${untilBlock}: ${reason}; arbor verify ${receipt}`,
  )
}
