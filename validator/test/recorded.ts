import type { Block, Blocks, Hex, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { Ledger } from '../src/ledger.ts'
import type { Forfeit } from '../src/ledger-audits.ts'
import type { RoundTerms } from '../src/rounds/runs.ts'
import type { VerdictRow } from '../src/rounds/verdict-row.ts'

/** A verdict with every field set; tests name what they care about. */
export const verdictRow = (over: Partial<VerdictRow> = {}): VerdictRow => ({
  hotkey: '5Fminer' as Ss58,
  uid: 3 as Uid,
  registeredAt: 7 as Block,
  round: 2,
  roundBlock: 10 as Block,
  task: 'chat',
  seed: '0x01',
  repeat: 0,
  reason: 'ok',
  value: 1,
  sigma: 0,
  totalMs: 12.5,
  signed: true,
  answerHash: '0xa1',
  drawnAt: null,
  ...over,
})

/** A round's terms, by its start block. */
export const termsAt = (block: number): RoundTerms => ({
  roundBlock: block as Block,
  blockHash: `0x${'b1'.repeat(32)}` as Hex,
  round: Math.floor(block / 5),
  length: 5 as Blocks,
  tempo: 10 as Blocks,
  spec: 'chat 1 0x00',
  miners: 1,
})

/** Takes a round through the ledger, from its plan to its record. */
export function recordRound(
  ledger: Ledger,
  of: { readonly block: number; readonly verdicts?: readonly VerdictRow[]; readonly forfeits?: readonly Forfeit[] },
): void {
  const run = termsAt(of.block)
  const at = 1_000 as UnixMs
  const endedAt = (of.block + 3) as Block
  const { verdicts = [], forfeits = [] } = of
  ledger.beginRound({ ...run, state: 'planned', at })
  ledger.moveRound(run.roundBlock, { state: 'answered', after: (of.block + 1) as Block })
  ledger.recordRound({ state: 'recorded', run, endedAt, at, verdicts, forfeits, terms: { halfLifeRounds: 8 } })
}
