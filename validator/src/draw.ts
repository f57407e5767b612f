import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { CheckShare } from '@arbor/shared/inference'
import type { Block, Ms } from '@arbor/shared/units'
import { drawOf, shareOf } from '@arbor/subnet-spec/audit/draw'
import type { AnswerSize, SubnetSpec } from '@arbor/subnet-spec/define'
import type { Exchange } from './exchange.ts'
import type { DrawnBy } from './receipts.ts'

/** Time that the draw's block has to become final, after which a round's answers are looked at as a whole: ten blocks of 12 s. */
const DRAW_WITHIN_MS = 120_000 as Ms

/**
 * Waits for the first finalised block after another one.
 * @returns null when it was not there within two minutes
 */
export async function drawBlock(
  { chain, clock }: { readonly chain: Pick<ChainClient, 'heads' | 'finalized' | 'blockHash'>; readonly clock: Clock },
  after: Block,
  signal: AbortSignal,
): Promise<BlockRef | null> {
  const number = (after + 1) as Block
  const late = new Error('the block of the draw is late')
  using patience = startDeadline({ clock, ms: DRAW_WITHIN_MS, parent: signal, reason: () => late })
  try {
    await finalisedAt(chain, number, patience.signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error === late || patience.signal.aborted) return null
    throw error
  }
  const hash = await chain.blockHash(number)
  return hash === null ? null : { number, hash }
}

async function finalisedAt(
  chain: Pick<ChainClient, 'heads' | 'finalized'>,
  number: Block,
  signal: AbortSignal,
): Promise<void> {
  if ((await chain.finalized()).number >= number) return
  for await (const head of chain.heads('finalized', signal)) if (head.number >= number) return
  signal.throwIfAborted()
}

/** Draws over an exchange by a block. */
export const drawnBy = (
  block: BlockRef | null,
  { answerHash, hotkey }: Pick<Exchange, 'answerHash' | 'hotkey'>,
): DrawnBy | null =>
  block === null
    ? null
    : { block: { number: block.number, hash: block.hash }, draw: drawOf({ blockHash: block.hash, answerHash, hotkey }) }

/** Measures an exchange's answer; one chunk where it cannot be read. */
export function sizeOf(spec: SubnetSpec, { task, question, response }: Exchange): AnswerSize {
  const definition = spec.tasks[task]
  if (definition?.size === undefined) return SMALLEST
  try {
    const request = definition.request.parse(JSON.parse(question))
    return definition.size({ request, response: definition.response.parse(JSON.parse(response)) })
  } catch {
    return SMALLEST // it is judged for what is wrong with it
  }
}

const SMALLEST: AnswerSize = { chunks: 1, tokens: 0 }

/** Says how much of an exchange's answer is looked at; undefined for all of it. */
export const lookAt = (of: {
  readonly spec: SubnetSpec
  readonly exchange: Exchange
  readonly drawn: DrawnBy | null
  /** Chunks; all when absent. */
  readonly look?: number
}): CheckShare | undefined => {
  const { spec, exchange, drawn, look } = of
  if (drawn === null) return undefined
  const { chunks } = sizeOf(spec, exchange)
  return shareOf({ draw: drawn.draw, chunks, look: look ?? chunks, positions: spec.audit?.positions })
}
