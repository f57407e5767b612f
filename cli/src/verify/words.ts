import type { Receipt } from '@arbor/validator/receipts'
import type { Held } from '@arbor/validator/verify-evidence'
import type { Explanation, Rejudged } from './rejudge.ts'

/** Most positions that are told of; the rest is counted. */
const SHOWN = 12

/** Tells a person what a receipt shows, line by line. */
export const linesOf = (
  receipt: Receipt,
  held: readonly Held[],
  { verdict, explanation, provider }: Rejudged,
): readonly string[] => [
  `receipt ${receipt.id}`,
  ...aboutLines(receipt),
  '',
  ...held.flatMap(({ what, caveat }) => [`✓ ${what}`, ...(caveat === undefined ? [] : [`  (${caveat})`])]),
  '',
  ...(explanation === null ? [] : measuredLines(explanation, provider)),
  verdictLine(receipt, verdict.reason, explanation),
]

const aboutLines = ({ exchange, verdict, judgedBy, judgedAt }: Receipt): readonly string[] => [
  `  ${exchange.kind === 'user' ? "a user's question" : "a round's question"} to miner ${exchange.hotkey} (uid ${exchange.uid}), task ${exchange.task}`,
  `  model ${exchange.model.name} ${exchange.model.hash}`,
  `  judged by ${judgedBy} at ${new Date(judgedAt).toISOString()}: ${verdict.reason}`,
]

const measuredLines = ({ check, limits, chunks, positions }: Explanation, provider: string): readonly string[] => {
  const off = positions.filter(({ margin }) => margin > 0)
  return [
    `one prefill of ${check.prefilled} tokens on ${provider}; limits: ${limitsText(limits)}`,
    ...chunks.map((chunk) => chunkLine(chunk, limits)),
    `${positions.length} positions drawn again: ${positions.length - off.length} give the very token, ${off.length} another`,
    ...off
      .slice(0, SHOWN)
      .map(
        ({ position, token, drawn, margin }) =>
          `  position ${position}: answered ${token}, drawn ${drawn}, margin ${number(margin)}${margin > limits.marginMax ? ` > ${number(limits.marginMax)}` : ''}`,
      ),
    ...(off.length > SHOWN ? [`  and ${off.length - SHOWN} more`] : []),
  ]
}

type Chunk = Explanation['chunks'][number]
type Limits = Explanation['limits']

const KEYS = ['residueError', 'exponentMismatches', 'mantissaError'] as const
const NAMES = {
  residueError: 'residue error',
  exponentMismatches: 'exponent mismatches',
  mantissaError: 'mantissa error',
}

const chunkLine = (chunk: Chunk, limits: Limits): string => {
  const parts = KEYS.flatMap((key) => {
    const [value, limit] = [chunk[key], limits[key]]
    if (value === null) return []
    return [`${NAMES[key]} ${number(value)}${limit === null ? '' : ` ${value <= limit ? '≤' : '>'} ${number(limit)}`}`]
  })
  return `chunk ${chunk.chunk} (tokens ${chunk.from} to ${chunk.to}): ${parts.join(', ') || 'no proof is due'}`
}

const limitsText = (limits: Limits): string =>
  [
    ...KEYS.flatMap((key) => (limits[key] === null ? [] : [`${NAMES[key]} ${number(limits[key])}`])),
    `margin mean ${number(limits.marginMean)}, largest ${number(limits.marginMax)}`,
  ].join(', ')

const verdictLine = (receipt: Receipt, reason: string, explanation: Explanation | null): string => {
  const because = explanation === null ? '' : `: ${becauseOf(reason, explanation)}`
  const same = reason === receipt.verdict.reason ? 'as the receipt says' : `the receipt says ${receipt.verdict.reason}`
  return `${reason === 'ok' ? 'passed' : `failed, ${reason}`} (${same})${because}`
}

/** Says in words what a reason stands on. */
export const becauseOf = (reason: string, { check, limits }: Explanation): string => {
  switch (reason) {
    case 'ok':
      return "its hidden states are the model's, and its tokens those that the sampler draws under this binding"
    case 'fingerprint':
      return 'the hidden states that its proof shows are not those of this model over this prompt and these tokens'
    case 'sampling':
      return `its tokens are not those that the sampler draws: margin mean ${number(check.marginMean)} (limit ${number(limits.marginMean)}), largest ${number(check.marginMax)} (limit ${number(limits.marginMax)}), ${check.mismatches} of them others`
    case 'text':
      return 'its tokens do not decode to its text'
    case 'truncated':
      return 'it is shorter than demanded, and nothing ended it'
    case 'malformed':
      return 'a part of it has the wrong kind or length, or follows what ended it'
    default:
      return 'the spec judged so'
  }
}

const number = (value: number | null): string => (value === null ? 'none' : String(Number(value.toPrecision(3))))
