import type { NetState } from '../state.ts'
import { agreed, explainUpdate, type SeenCheckpoint, type TrainedMiner, type TrainingView } from './state.ts'
import { bytes, count, short } from './words.ts'

/** Says in plain lines what changed in a training subnet's view; nothing of another subnet. */
export function trainingChanges(before: NetState, after: NetState): readonly string[] {
  const [was, is] = [before.training, after.training]
  if (is === null || was === is) return []
  const phase = is.round !== null && (is.round !== was?.round || is.phase !== was?.phase)
  return [
    ...(phase ? [`block ${after.block ?? '-'}  round ${is.round}: ${is.phase}`] : []),
    ...is.checkpoints.flatMap((each) => checkpointLines(each, was, is, after)),
    ...is.miners.flatMap((each) => verdictLines(each, was, after)),
  ]
}

function checkpointLines(
  checkpoint: SeenCheckpoint,
  was: TrainingView | null,
  is: TrainingView,
  { validators }: NetState,
): readonly string[] {
  const known = was?.checkpoints.find(({ round }) => round === checkpoint.round)
  if (known === checkpoint) return []
  const names = validators.flatMap(({ name, hotkey }) => {
    const has = checkpoint.by[hotkey]
    return has === undefined ? [] : [`${name} ${short(has)}`]
  })
  if (!agreed(checkpoint))
    return [`validators hold different checkpoints for round ${checkpoint.round}: ${names.join(', ')}`]
  if (names.length < validators.length) return [] // told once, when all have it
  const loss = checkpoint.loss === null ? 'not measured' : checkpoint.loss.toFixed(4)
  return [
    `checkpoint of round ${checkpoint.round}: ${names.join(', ')}; ${checkpoint.merged} updates merged, ${count(is.tokens)} tokens in all, held-out loss ${loss}`,
  ]
}

function verdictLines(miner: TrainedMiner, was: TrainingView | null, { miners }: NetState): readonly string[] {
  const known = was?.miners.find(({ hotkey }) => hotkey === miner.hotkey)
  if (known?.round === miner.round) return []
  const { name, kind } = miners.find(({ hotkey }) => hotkey === miner.hotkey) ?? { name: miner.hotkey, kind: '' }
  const runs = kind === 'honest' || kind === '' ? '' : ` (${kind})`
  return [
    `round ${miner.round}  ${name}${runs}: ${explainUpdate(miner.reason)}; ${rating(miner)}, ${bytes(miner.bytes)} sent`,
  ]
}

/** Writes a rating for people: its middle and how sure it is. */
export const rating = ({ rating }: Pick<TrainedMiner, 'rating'>): string =>
  rating === null ? 'not rated' : `rating ${rating.mu.toFixed(1)} ± ${rating.sigma.toFixed(1)}`
