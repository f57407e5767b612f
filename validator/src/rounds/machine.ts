/**
 * Where a round stands. `planned`: its start block is fixed and the miners of its pass may be asked; `answered`: every outcome of the pass is in the
 * ledger; `drawn`: so is the block that draws what is looked at; `recorded`: verdicts, scores, forfeits and receipts are, in one transaction.
 * `dropped`: it was too old to go on when the process came back.
 */
export type RoundState = 'planned' | 'answered' | 'drawn' | 'recorded' | 'dropped'

/**
 * Where each state may go; `drawn` is passed over when nobody answered, and goes back to `planned` where a further pass asks some miners
 * again. The ledger refuses any other move.
 */
export const ROUND_TRANSITIONS: Readonly<Record<RoundState, readonly RoundState[]>> = {
  planned: ['answered', 'dropped'],
  answered: ['drawn', 'recorded', 'dropped'],
  drawn: ['planned', 'recorded', 'dropped'],
  recorded: [],
  dropped: [],
}
