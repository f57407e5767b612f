import type { Windows } from '../../engine/src/train/types.ts'
import { blobName } from '../../shared/src/blob.ts'
import { median } from '../../shared/src/math.ts'
import type { Hex, Uid } from '../../shared/src/units.ts'
import { drawsFrom } from '../../subnet-spec/finetune/attacks/draws.ts'
import { type Kept, performRound, type RoundOutput } from '../../subnet-spec/finetune/attacks/perform.ts'
import type { TrainingAttack } from '../../subnet-spec/finetune/attacks/types.ts'
import { commonNorm, controlsOf } from '../../subnet-spec/finetune/gauntlet.ts'
import { cosine, normOf } from '../../subnet-spec/finetune/optimisers/vectors.ts'
import { measuredPasses, replayOf, unseenSeed } from '../../subnet-spec/finetune/seeds.ts'
import type { BatchLoss, Measured } from '../../subnet-spec/finetune/types.ts'
import { readUpdate } from '../../subnet-spec/finetune/update.ts'
import { unseenWindows } from '../../subnet-spec/finetune/windows.ts'
import { taskSeed } from '../../subnet-spec/src/seed.ts'
import type { Line } from './lines.ts'
import { replaySegment } from './replay.ts'
import { blockHash, hotkeyOf, type Subnet } from './subnet.ts'

/** Batches that lines hold of each kind; terms may judge by fewer. */
const MOST_BATCHES = 4
/** Windows of others come from a uid that nobody has. */
const NOBODY = 200

/** A miner of the experiment, and what it keeps. */
export interface Player {
  readonly who: string
  readonly uid: number
  readonly attack: TrainingAttack | null
  /** Forgets moments and what it carried before each round, as a miner that always joins anew. */
  readonly isFresh: boolean
  kept: Kept
  /** Its last file and its vector. */
  last: { readonly file: Uint8Array; readonly vector: Float32Array | null } | null
}

export interface Model {
  readonly params: Float32Array
  readonly outer: Float32Array
}

interface Sent {
  readonly player: Player
  readonly began: Kept
  readonly output: RoundOutput
  readonly refused: Line['refused']
  readonly vector: Float32Array | null
  readonly payload: Uint8Array | null
}

/** Plays one round of all miners from one checkpoint, measures every update, and takes the honest ones into the model. */
export const playRound = async (of: {
  readonly subnet: Subnet
  readonly round: number
  readonly model: Model
  readonly players: readonly Player[]
  readonly signal: AbortSignal
}): Promise<{ readonly lines: readonly Line[]; readonly model: Model }> => {
  const { subnet, round, model, players } = of
  const base = blobName(new Uint8Array(model.params.buffer, model.params.byteOffset, model.params.byteLength))
  const take = subnet.take(of.signal)
  const sent: Sent[] = []
  for (const player of players)
    sent.push(await performed({ ...of, player, base, take, victim: sent[0]?.output.file ?? null }))
  const honest = sent.filter(({ player }) => player.who === 'honest')
  const norm = commonNorm(honest.flatMap(({ vector }) => (vector === null ? [] : [vector])))
  const unseen = unseenWindows({
    seed: unseenSeed({ blockHash: blockHash(round, 'published'), netuid: subnet.netuid, round }),
    tokens: subnet.dataset.train.length,
    batches: MOST_BATCHES,
    local: subnet.terms.local,
  }).map((starts): Windows => ({ tokens: subnet.dataset.train, starts }))
  const unseenBefore = await lossesOf(subnet, model.params, unseen)
  const lines: Line[] = []
  for (const one of sent) lines.push(await lineOf({ ...of, sent: one, honest, norm, unseen, unseenBefore, take }))
  for (const { player, output, vector } of sent) {
    player.kept = output.kept
    if (output.file !== null) player.last = { file: output.file, vector }
  }
  const merged = honest.flatMap(({ vector }) => (vector === null ? [] : [vector]))
  return { lines, model: subnet.optimiser.merge({ ...model, updates: merged }) }
}

const performed = async (of: {
  readonly subnet: Subnet
  readonly round: number
  readonly model: Model
  readonly player: Player
  readonly base: Hex
  readonly take: ReturnType<Subnet['take']>
  readonly victim: Uint8Array | null
}): Promise<Sent> => {
  const { subnet, round, model, player, base, take, victim } = of
  const { terms, optimiser, trainer } = subnet
  const { layout } = trainer
  const began = player.isFresh ? nothingKept(layout.size) : player.kept
  const hotkey = hotkeyOf(player.uid)
  // What resends an update has to have one: it works in every second round.
  const rests = player.attack?.needs === 'last' && round % 2 === 0
  const attack = rests ? null : player.attack
  const output = await performRound({
    attack,
    terms,
    optimiser,
    layout,
    about: { netuid: subnet.netuid, round, hotkey, base },
    params: model.params,
    kept: began,
    assigned: subnet.assigned({ round, uid: player.uid as Uid }),
    others: subnet.assigned({ round, uid: (NOBODY + player.uid) as Uid }),
    train: isRefusedUnread(attack) ? standStill : take,
    victim,
    last: player.last?.file ?? null,
    draws: drawsFrom({ seed: blockHash(round, 'start'), label: `bench/${player.uid}` }),
  })
  const { file } = output
  const nothing = { player, began, output, vector: null, payload: null }
  if (file === null) return { ...nothing, refused: 'missing' }
  if (isCutShort(player.attack, file)) return { ...nothing, refused: 'unavailable' }
  const expected = { netuid: subnet.netuid, round, hotkey, base, optimiser: optimiser.kind, size: layout.size }
  try {
    const { update, vector } = readUpdate({ file, maxBytes: terms.limits.updateBytes, expected, optimiser })
    return { ...nothing, vector, payload: update.payload, refused: null }
  } catch (error) {
    return { ...nothing, refused: reasonOf(error) }
  }
}

/** What is refused before anything is measured does not need to be trained here. */
const isRefusedUnread = (attack: TrainingAttack | null): boolean =>
  attack !== null && ['malformed', 'unavailable'].includes(attack.caughtBy[0])

const standStill: ReturnType<Subnet['take']> = async ({ start, to }) => ({ state: { ...start, step: to }, loss: 0 })

/** Tells whether somebody who is served so has no whole file in the end. */
const isCutShort = (attack: TrainingAttack | null, file: Uint8Array): boolean => {
  const pieces = Math.max(1, Math.ceil(file.length / 65_536))
  return Array.from({ length: pieces }, (_, index) => attack?.serve?.({ of: 'update', index, pieces }) ?? 'serve').some(
    (serving) => serving !== 'serve',
  )
}

const reasonOf = (error: unknown): Line['refused'] => {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'UPDATE_STALE') return 'stale'
  if (code === 'UPDATE_NOT_FINITE') return 'not-finite'
  if (typeof code === 'string' && code.startsWith('UPDATE_')) return 'malformed'
  throw error
}

const lineOf = async (of: {
  readonly subnet: Subnet
  readonly round: number
  readonly model: Model
  readonly sent: Sent
  readonly honest: readonly Sent[]
  readonly norm: number
  readonly unseen: readonly Windows[]
  readonly unseenBefore: readonly number[]
  readonly take: ReturnType<Subnet['take']>
}): Promise<Line> => {
  const { subnet, round, model, sent, norm } = of
  const { player, vector, output } = sent
  const about = { round, who: player.who, uid: player.uid, bytes: output.file?.length ?? 0, refused: sent.refused }
  if (vector === null) return { ...about, measured: null, cosines: { others: [], own: null }, replay: null }
  const earlier = of.honest.filter((one) => one.player.uid < player.uid && one.vector !== null)
  const others = earlier.map((one) => cosine(vector, one.vector ?? vector))
  const lastOfOthers = of.honest.flatMap(({ player: { uid, last } }) =>
    uid === player.uid || last?.vector === undefined || last.vector === null ? [] : [cosine(vector, last.vector)],
  )
  const own =
    player.last?.vector === undefined || player.last.vector === null ? null : cosine(vector, player.last.vector)
  const likes = [...others, ...lastOfOthers]
  const likeness = likes.length === 0 ? null : { cosine: Math.max(...likes), hotkey: hotkeyOf(0) }
  const measured = await measuredOf({ ...of, vector }).catch(() => null)
  if (measured === null)
    return { ...about, refused: 'not-finite', measured: null, cosines: { others, own }, replay: null }
  const replay = await replayed({ ...of, payload: sent.payload ?? new Uint8Array() })
  return {
    ...about,
    measured: { norm: normOf(vector) / norm, ...measured, likeness },
    cosines: { others, own },
    replay,
  }

  async function replayed(with_: { readonly payload: Uint8Array }): Promise<Line['replay']> {
    const { gauntlet } = subnet.terms
    const at = { blockHash: blockHash(round, 'published'), netuid: subnet.netuid, round, hotkey: hotkeyOf(player.uid) }
    const drawn = replayOf({ ...at, terms: { ...gauntlet, replayShare: 1 } })
    if (drawn === null) return null
    if (player.attack?.serve?.({ of: 'state', index: 0, pieces: 19 }) === 'refuse')
      return { ...drawn, outcome: { kind: 'withheld', reason: 'refused' } }
    const outcome = await replaySegment({
      ...drawn,
      ...with_,
      states: output.states,
      params: model.params,
      ended: sent.began,
      terms: subnet.terms,
      optimiser: subnet.optimiser,
      train: of.take,
      assigned: subnet.assigned({ round, uid: player.uid as Uid }),
    })
    return { ...drawn, outcome }
  }
}

const measuredOf = async (of: {
  readonly subnet: Subnet
  readonly round: number
  readonly model: Model
  readonly sent: Sent
  readonly honest: readonly Sent[]
  readonly norm: number
  readonly unseen: readonly Windows[]
  readonly unseenBefore: readonly number[]
  readonly vector: Float32Array
}): Promise<Pick<Measured, 'assigned' | 'unseen'>> => {
  const { subnet, round, model, sent, norm, vector } = of
  const { steps, accumulate } = subnet.terms.local
  const { uid } = sent.player
  const passes = measuredPasses({
    blockHash: blockHash(round, 'published'),
    netuid: subnet.netuid,
    round,
    hotkey: hotkeyOf(uid),
    passes: steps * accumulate,
    batches: MOST_BATCHES,
  })
  const windows = passes.map(subnet.assigned({ round, uid: uid as Uid }))
  const after = subnet.optimiser.apply({ params: model.params, update: vector, norm })
  const [before, own, fresh] = [
    await lossesOf(subnet, model.params, windows),
    await lossesOf(subnet, after, windows),
    await lossesOf(subnet, after, of.unseen),
  ]
  const seed = taskSeed({
    blockHash: blockHash(round, 'published'),
    netuid: subnet.netuid,
    round,
    hotkey: hotkeyOf(uid),
  })
  const among = of.honest.map((one) => ({ hotkey: hotkeyOf(one.player.uid), norm: 1, likeness: null }))
  const drawn = controlsOf({ hotkey: hotkeyOf(uid), among, terms: subnet.terms.gauntlet, seed })
  const controls: (readonly number[])[] = []
  for (const hotkey of drawn) {
    const update = of.honest.find((one) => hotkeyOf(one.player.uid) === hotkey)?.vector ?? vector
    controls.push(await lossesOf(subnet, subnet.optimiser.apply({ params: model.params, update, norm }), windows))
  }
  const assigned = pairs(before, own).map((pair, index) => ({
    ...pair,
    others: controls.length === 0 ? null : median(controls.map((losses) => losses[index] ?? Number.NaN)),
  }))
  return { assigned, unseen: pairs(of.unseenBefore, fresh) }
}

const pairs = (before: readonly number[], after: readonly number[]): readonly BatchLoss[] =>
  before.map((loss, index) => ({ before: loss, after: after[index] ?? Number.NaN }))

const lossesOf = async (
  { trainer }: Subnet,
  params: Float32Array,
  windows: readonly Windows[],
): Promise<readonly number[]> => {
  const losses: number[] = []
  for (const one of windows) losses.push(await trainer.loss({ params, windows: [one] }))
  return losses
}

/** What a miner begins with. */
export const nothingKept = (size: number): Kept => ({
  moments: { first: new Float32Array(size), second: new Float32Array(size), steps: 0 },
  carried: new Float32Array(size),
})
