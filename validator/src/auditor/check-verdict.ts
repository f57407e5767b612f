import { taskSeed } from '@arbor/subnet-spec/seed'
import type { VerdictEntry } from '../log/entry.ts'
import { checkedVerdict } from '../verdict.ts'
import type { RoundFacts, RoundGroup, RoundRules } from './check-round.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/** Checks one verdict: who was asked what, and that it is one that the spec can give. */
export function checkVerdict(
  verdict: Placed<VerdictEntry>,
  of: { readonly group: RoundGroup; readonly facts: RoundFacts; readonly rules: RoundRules },
): Mismatch | null {
  return checkPlace(verdict, of.group) ?? checkWho(verdict, of) ?? checkQuestion(verdict, of) ?? checkValue(verdict)
}

function checkPlace(verdict: Placed<VerdictEntry>, { begin }: RoundGroup): Mismatch | null {
  const { round, roundBlock } = verdict.entry
  const { round: expectedRound, start } = begin.entry
  if (round === expectedRound && roundBlock === start.number) return null
  return mismatchOf(verdict, 'the round of a verdict', {
    expected: { round: expectedRound, roundBlock: start.number },
    found: { round, roundBlock },
  })
}

function checkWho(
  verdict: Placed<VerdictEntry>,
  { facts, rules }: { readonly facts: RoundFacts; readonly rules: RoundRules },
): Mismatch | null {
  const { hotkey, uid, registeredAt } = verdict.entry
  if (hotkey === rules.self)
    return mismatchOf(verdict, 'a miner that is asked', { expected: "another than the log's own", found: hotkey })
  if (facts.metagraph === null) return null
  const neuron = facts.metagraph.neurons[uid]
  const held = neuron === undefined ? null : { hotkey: neuron.hotkey, uid, registeredAt: neuron.registeredAt }
  if (held !== null && held.hotkey === hotkey && held.registeredAt === registeredAt) return null
  return mismatchOf(verdict, "who held the uid at the round's start", {
    expected: held,
    found: { hotkey, uid, registeredAt },
  })
}

function checkQuestion(
  verdict: Placed<VerdictEntry>,
  { group, rules }: { readonly group: RoundGroup; readonly rules: RoundRules },
): Mismatch | null {
  const { hotkey, round, repeat, seed, task } = verdict.entry
  const { netuid, spec } = rules
  const most = spec.repeats?.most ?? 0
  if (repeat > most) return mismatchOf(verdict, 'repeats that the spec asks for', { expected: most, found: repeat })
  const expected = taskSeed({ blockHash: group.begin.entry.start.hash, netuid, round, hotkey, repeat })
  if (seed !== expected) return mismatchOf(verdict, 'the seed of the question', { expected, found: seed })
  const picked = spec.pick({ seed })
  return task === picked
    ? null
    : mismatchOf(verdict, "the task that the question's seed picks", { expected: picked, found: task })
}

function checkValue(verdict: Placed<VerdictEntry>): Mismatch | null {
  const { reason, value, sigma, answerHash, receipt, signed, drawnAt, roundBlock } = verdict.entry
  try {
    checkedVerdict({ reason, value, sigma })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return mismatchOf(verdict, 'a verdict that a spec can give', { expected: why, found: { reason, value, sigma } })
  }
  const answered = answerHash !== null
  if (answered !== (receipt !== null) || (!answered && (signed || drawnAt !== null)))
    return mismatchOf(verdict, 'answer, receipt and draw together or none of them', {
      expected: answered ? 'all' : 'none',
      found: { answerHash, receipt, signed, drawnAt },
    })
  if (!answered && (value !== 0 || sigma !== 0 || reason === 'ok'))
    return mismatchOf(verdict, 'nothing for no answer', {
      expected: { value: 0, sigma: 0 },
      found: { reason, value, sigma },
    })
  if (drawnAt !== null && drawnAt <= roundBlock)
    return mismatchOf(verdict, 'a draw after the answer', { expected: `after ${roundBlock}`, found: drawnAt })
  return null
}
