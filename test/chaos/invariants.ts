import { readFileSync } from 'node:fs'
import type { WeightRow } from '@arbor/chain/client/types'
import type { Block } from '@arbor/shared/units'
import { type Facts, readFacts } from './facts.ts'
import { isSameRow, type Moment } from './history.ts'
import type { Member } from './member.ts'
import { differenceOf, refold } from './refold.ts'
import { readTrace } from './trace.ts'
import { digestOf, rootOf } from './tree.ts'

/** Something that must never be. */
export interface Violation {
  readonly invariant:
    | 'false-claim'
    | 'missed'
    | 'lost'
    | 'asked-twice'
    | 'sent-twice'
    | 'unbounded'
    | 'ended'
    | 'unequal'
  readonly validator: string
  readonly block: number
  readonly what: string
}

/** Watches one validator for what must never be. */
export interface Watch {
  /** Looks at everything that is new since it was called last. */
  check(moments: readonly Moment[]): readonly Violation[]
  /** The newest row that the ledger calls confirmed. */
  held(): WeightRow | null
  /** Whether what the ledger holds leads to a row with a weight at a block: some registered miner has a fresh score and no forfeit. */
  scored(moment: Moment): boolean
  /** Whether a round that began at a block, or later, is recorded. */
  recordedSince(block: number): boolean
  readonly counts: { confirmed: number; rounds: number; verdicts: number; entries: number }
}

type Told = (invariant: Violation['invariant'], what: string) => void

/** Begins to watch. @param of.halfLifeRounds of the spec that the validator runs */
export const watchMember = (member: Member, of: { readonly halfLifeRounds: number }): Watch => {
  const counts = { confirmed: 0, rounds: 0, verdicts: 0, entries: 0 }
  const seen = { attempt: 0, logBytes: 0, sent: 0, size: 0, digest: '', forfeits: new Map<string, number>() }
  const hexes = new Set<string>()
  let facts: Facts | null = null
  const open = new Set<number>()

  return {
    counts,
    held: () => facts?.attempts.findLast(({ state }) => state === 'confirmed')?.row ?? null,
    recordedSince: (block) => facts?.runs.some((run) => run.state === 'recorded' && run.roundBlock >= block) ?? false,
    scored: (moment) => facts !== null && leadsToRow(facts, moment),
    check: (moments) => {
      const violations: Violation[] = []
      const block = moments.at(-1)?.block ?? 0
      const tell: Told = (invariant, what) => void violations.push({ invariant, validator: member.name, block, what })
      facts = readFacts(member.data) ?? facts
      const at = new Map(moments.map((moment) => [moment.block, moment]))
      checkLog(member, seen, { at, attempts: facts?.attempts ?? [] }, tell)
      checkSent(member, seen, hexes, tell)
      if (facts === null) return violations
      const { attempts, moves } = facts
      for (const attempt of attempts) {
        if (attempt.id <= seen.attempt && !open.has(attempt.id)) continue
        open.add(attempt.id)
        if (!ENDS.has(attempt.state)) continue
        open.delete(attempt.id)
        if (attempt.state !== 'confirmed') continue
        counts.confirmed += 1
        const { readBackAt: block, row, computedAt } = attempt
        claim(member, { at, block, row, computedAt, tell, what: `attempt ${attempt.id}` })
      }
      seen.attempt = attempts.at(-1)?.id ?? seen.attempt
      checkMoves(moves, attempts, tell)
      checkRounds(member, facts, { at, block, ...of }, tell)
      checkTree(facts, seen, tell)
      checkForfeits(facts, seen.forfeits, block, tell)
      checkAsked(member, tell)
      counts.rounds = new Set(facts.verdicts.map(({ roundBlock }) => roundBlock)).size
      counts.verdicts = facts.verdicts.length
      counts.entries = facts.leaves.length
      return violations
    },
  }
}

/** Rounds without a verdict after which a score is stale, and tempos after which all are. @source docs/weights.md */
const FRESH = { rounds: 6, tempos: 3 } as const

const leadsToRow = ({ scores, verdicts, forfeits }: Facts, { metagraph, block }: Moment): boolean => {
  const rounds = [...new Set(verdicts.map(({ roundBlock }) => roundBlock))].sort((a, b) => b - a).slice(0, FRESH.rounds)
  const [newest] = rounds
  const oldest = rounds.at(-1)
  if (newest === undefined || oldest === undefined || block - newest > FRESH.tempos * metagraph.tempo) return false
  return scores.some((score) => {
    const name = `${score.hotkey}/${score.uid}/${score.registeredAt}/`
    const neuron = metagraph.neurons.find(({ uid }) => uid === score.uid)
    const isHeld = neuron?.hotkey === score.hotkey && neuron.registeredAt === score.registeredAt
    const forfeited = forfeits.some((forfeit) => forfeit.name.startsWith(name) && forfeit.until > block)
    return isHeld && !forfeited && score.average > 0 && score.lastRoundBlock >= oldest
  })
}

const ENDS = new Set(['confirmed', 'mismatch', 'lost', 'expired', 'failed', 'superseded'])

/** A row that is called confirmed is the one that the chain holds at the block that it was read at. */
const claim = (
  { key }: Member,
  of: {
    readonly at: ReadonlyMap<number, Moment>
    readonly block: Block | null
    readonly row: WeightRow
    readonly computedAt: Block | null
    readonly tell: Told
    readonly what: string
  },
): void => {
  const { at, block, row, computedAt, tell, what } = of
  const moment = block === null ? undefined : at.get(block)
  if (moment === undefined) {
    tell('false-claim', `${what} is confirmed at block ${block}, which was never seen`)
    return
  }
  const held = moment.rows.get(key.address) ?? []
  if (!isSameRow(held, masked(row, moment, computedAt)))
    tell(
      'false-claim',
      `${what} is confirmed at ${block}: ${JSON.stringify(row)}, the chain has ${JSON.stringify(held)}`,
    )
}

/** The row as the chain opens it: it gives nothing to uids that changed hands since. */
const masked = (row: WeightRow, { metagraph }: Moment, computedAt: Block | null): WeightRow =>
  row.filter(([uid]) => {
    const neuron = metagraph.neurons.find((each) => each.uid === uid)
    return computedAt === null || (neuron !== undefined && neuron.registeredAt <= computedAt)
  })

/** What the log claims holds as well: it is what an operator reads. */
const checkLog = (
  member: Member,
  seen: { logBytes: number },
  of: { readonly at: ReadonlyMap<number, Moment>; readonly attempts: Facts['attempts'] },
  tell: Told,
): void => {
  const { at, attempts } = of
  let text = ''
  try {
    text = readFileSync(member.log).subarray(seen.logBytes).toString('utf8')
  } catch {
    return // it has not begun
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  seen.logBytes += Buffer.byteLength(whole)
  for (const line of whole.split('\n')) {
    if (!line.includes('"weights.confirmed"')) continue
    const said = JSON.parse(line) as { attempt: number; row: WeightRow; block: Block }
    const computedAt = attempts.find(({ id }) => id === said.attempt)?.computedAt ?? null
    claim(member, { at, block: said.block, row: said.row, computedAt, tell, what: 'a line of the log' })
  }
}

/** No extrinsic's bytes leave twice. */
const checkSent = (member: Member, seen: { sent: number }, hexes: Set<string>, tell: Told): void => {
  const { sent } = member.proxy
  for (; seen.sent < sent.length; seen.sent += 1) {
    const { hex } = sent[seen.sent] ?? { hex: '' }
    if (hexes.has(hex)) tell('sent-twice', `the extrinsic ${hex.slice(0, 40)}… was submitted twice`)
    hexes.add(hex)
  }
}

/** An attempt's moves lead to the state that it is in. */
const checkMoves = (moves: Facts['moves'], attempts: Facts['attempts'], tell: Told): void => {
  const last = new Map(moves.map(({ attempt, state }) => [attempt, state]))
  for (const { id, state } of attempts)
    if (last.has(id) && last.get(id) !== state) tell('lost', `attempt ${id} is ${state}, its last move ${last.get(id)}`)
}

/** Every miner that served at a recorded round's block has its verdict, once; scores are what the verdicts lead to. */
const checkRounds = (
  { key }: Member,
  facts: Facts,
  of: { readonly at: ReadonlyMap<number, Moment>; readonly block: number; readonly halfLifeRounds: number },
  tell: Told,
): void => {
  const { verdicts, runs, scores } = facts
  for (const { roundBlock, state, length } of runs) {
    const own = verdicts.filter((verdict) => verdict.roundBlock === roundBlock)
    if (state !== 'recorded') {
      if (own.length > 0) tell('lost', `round ${roundBlock} is ${state} and has ${own.length} verdicts`)
      if (state !== 'dropped' && roundBlock < (runs.at(-1)?.roundBlock ?? 0))
        tell('lost', `round ${roundBlock} was left as ${state}; one of ${length} blocks has begun since`)
      continue
    }
    const moment = of.at.get(roundBlock)
    if (moment === undefined) continue
    const served = moment.metagraph.neurons
      .filter(({ axon, hotkey }) => axon !== null && hotkey !== key.address)
      .map(({ uid }) => Number(uid))
    const judged = own.filter(({ repeat }) => repeat === 0).map(({ uid }) => Number(uid))
    if (served.join() !== judged.join())
      tell('lost', `round ${roundBlock} judged ${judged.join()}, served ${served.join()}`)
  }
  const difference = differenceOf(scores, refold(verdicts, of.halfLifeRounds))
  if (difference !== null) tell('lost', `scores are not what the verdicts lead to: ${difference}`)
}

/** The log only grows, without a gap, and its signed heads are the roots of what it held. */
const checkTree = (facts: Facts, seen: { size: number; digest: string }, tell: Told): void => {
  const { leaves, positions, heads } = facts
  const gap = positions.findIndex((position, index) => position !== index)
  if (gap >= 0) tell('lost', `the log has position ${positions[gap]} at place ${gap}`)
  if (leaves.length < seen.size) {
    tell('lost', `the log has ${leaves.length} entries, and had ${seen.size}`)
    return
  }
  if (digestOf(leaves.slice(0, seen.size)) !== seen.digest && seen.size > 0)
    tell('lost', `the log's first ${seen.size} entries are others than before`)
  for (const { size, root } of heads)
    if (size > seen.size - 64 && Buffer.compare(rootOf(leaves.slice(0, size)), root) !== 0)
      tell('lost', `the signed head of ${size} entries is not their root`)
  seen.size = leaves.length
  seen.digest = digestOf(leaves)
}

/** A forfeit stays until its last block. */
const checkForfeits = (facts: Facts, seen: Map<string, number>, block: number, tell: Told): void => {
  const held = new Map(facts.forfeits.map(({ name, until }) => [name, until]))
  for (const [name, until] of seen) {
    if (until <= block - 20) seen.delete(name)
    else if (until > block && (held.get(name) ?? 0) < until) tell('lost', `the forfeit ${name} until ${until} has gone`)
  }
  for (const [name, until] of held) seen.set(name, until)
}

/** Nobody is asked again whose answer the ledger holds, and nobody twice by one process that could write the answer down. */
const checkAsked = (member: Member, tell: Told): void => {
  const asked = new Map<string, number>()
  const kept = new Set<string>()
  for (const record of readTrace(member.trace)) {
    if (record.kind === 'kept') kept.add(record.question)
    if (record.kind === 'unkept') asked.delete(record.question)
    if (record.kind !== 'ask') continue
    if (kept.has(record.question)) tell('asked-twice', `${record.question} was asked again although it was kept`)
    if (asked.get(record.question) === record.life)
      tell('asked-twice', `${record.question} was asked twice in life ${record.life}`)
    asked.set(record.question, record.life)
  }
}
