import { hash } from 'node:crypto'
import { canonicalJson } from '@arbor/shared/canonical-json'
import type { Block, Hex, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { MeasuredTiming } from '@arbor/subnet-spec/timing'
import type { Answer } from './dendrite/answer.ts'
import type { Evidence } from './evidence.ts'
import type { PlannedTask } from './plan.ts'
import { type AnsweredOutcome, answeredOf } from './rounds/outcome.ts'
import type { Registration } from './scores.ts'

/** An answer of a miner with all that is needed to judge it later, and again. */
export interface Exchange extends Registration {
  readonly version: 1
  readonly genesisHash: Hex
  readonly netuid: NetUid
  /** A round's question, or a user's. */
  readonly kind: 'planned' | 'user'
  readonly spec: { readonly name: string; readonly version: number }
  readonly model: SubnetSpec['model']
  readonly task: string
  /** JSON of the question, as it was asked. */
  readonly question: string
  /** JSON of the response, as it came. */
  readonly response: string
  /** As it was measured; `score` is told its class alone. */
  readonly timing: MeasuredTiming
  readonly binding: Hex
  readonly answerHash: Hex
  readonly evidence: Evidence
  /** The newest block, final or not, whose hash may have been out when the answer was there; the next one draws, once it is final. */
  readonly after: Block
}

/** Whose answers they are, and to what. */
export interface ExchangeOf {
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly spec: Pick<SubnetSpec, 'name' | 'version' | 'model'>
  readonly kind: Exchange['kind']
}

interface Asked {
  readonly task: Pick<PlannedTask, 'hotkey' | 'uid' | 'registeredAt' | 'task' | 'request'>
  readonly after: Block
}

/** Keeps an answer with its question. @param of.after see `Exchange` */
export const exchangeOf = (
  about: ExchangeOf,
  { answer, ...of }: Asked & { readonly answer: Extract<Answer, { kind: 'answered' }> },
): Exchange => exchangeFrom(about, { ...of, outcome: answeredOf(answer) })

/** Keeps an answer as the ledger has it with its question. @param of.after see `Exchange` */
export const exchangeFrom = (
  { genesisHash, netuid, spec, kind }: ExchangeOf,
  { task: asked, outcome, after }: Asked & { readonly outcome: AnsweredOutcome },
): Exchange => {
  const { hotkey, uid, registeredAt, task, request } = asked
  const { response, timing, binding, answerHash, evidence } = outcome
  return {
    version: 1,
    genesisHash,
    netuid,
    kind,
    spec: { name: spec.name, version: spec.version },
    model: spec.model,
    hotkey,
    uid,
    registeredAt,
    task,
    question: JSON.stringify(request),
    response,
    timing,
    binding,
    answerHash,
    evidence,
    after,
  }
}

/** Names an exchange by its content; its receipt has this id. @returns 64 lower-case hexadecimal digits */
export const exchangeId = (exchange: Exchange): string => hash('sha256', canonicalJson(exchange), 'hex')
