import { type SynapseOptions, synapseOf } from '@arbor/shared/bittensor/synapse'
import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import type { CheckShare, InferenceEngine } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'
import { type AuditTerms, faultOfTerms } from '../audit/terms.ts'
import { faultOfTraining } from '../finetune/fault-of-training.ts'
import type { TrainingTerms } from '../finetune/types.ts'
import type { Timing } from './timing.ts'

/** How large an answer is. */
export interface AnswerSize {
  /** Parts that can be looked at apart; at least 1. */
  readonly chunks: number
  readonly tokens: number
}

/** What a validator thinks of one answer. */
export interface Verdict {
  /** `ok`, or one lower-case word that says what was wrong. */
  readonly reason: string
  /** Quality in [0, 1]; 0 unless the reason is ok. */
  readonly value: number
  /** Standard deviation of the value. */
  readonly sigma: number
}

/** One kind of work: what is asked, how it is answered, how an answer is judged. */
export interface TaskDefinition<Request = unknown, Response = unknown> {
  readonly request: z.ZodType<Request>
  readonly response: z.ZodType<Response>
  /** Time a miner has from the first byte sent to the last byte received. */
  readonly deadlineMs: number
  /**
   * Ends of the classes in which `score` is told when an answer came, as ascending shares of the deadline below 1; what comes after the last
   * is in one more class. Absent: all answers within the deadline are in one. docs/scores.md
   */
  readonly timing?: readonly number[]
  readonly maxRequestBytes: number
  readonly maxResponseBytes: number
  /** Set when an answer can also be had as a stream: `solve` then emits its text as it comes to be. */
  readonly stream?: true
  /** Name and protected fields of the task in Bittensor's protocol, for validators and miners that speak it; docs/bittensor.md. */
  readonly synapse?: SynapseOptions
  /** Size of an answer, for audits; one chunk and no tokens when absent. Never throws for what a miner sent. */
  size?(context: { readonly request: Request; readonly response: Response }): AnswerSize
  /** Derives the request from a seed alone; every validator derives the same. */
  plan(context: { readonly seed: Hex }): Request
  /**
   * The reference miner's answer.
   * @param context.binding 32 bytes that no other question has: they name asker, miner, subnet and request
   * @param context.emit there when the caller takes a stream: sends a piece of text ahead of the whole, which is returned all the same
   * @param context.pieces there in a training subnet: the files that this miner serves
   */
  solve(context: {
    readonly request: Request
    readonly binding: Hex
    readonly engine: InferenceEngine
    readonly signal: AbortSignal
    readonly emit?: ((text: string) => void) | undefined
    readonly pieces?: PieceSource | undefined
  }): Promise<Response>
  /**
   * Judges an answer; runs in a worker thread; never throws for what a miner sent.
   * @param context.binding as `solve` had it
   * @param context.share how much of the answer to look at, drawn after it was signed; all of it when absent
   * @param context.timing the class of the time that the answer took; no milliseconds, which differ from validator to validator
   */
  score(context: {
    readonly request: Request
    readonly response: Response
    readonly binding: Hex
    readonly share?: CheckShare | undefined
    readonly engine: InferenceEngine
    readonly timing: Timing
  }): Promise<Verdict>
}

/** Files of a miner in a training subnet, by their names. */
export interface PieceSource {
  /** Gives a piece and the proof that it is of that file. */
  piece(of: { readonly name: Hex; readonly index: number }): Promise<Piece>
}

/** One piece of a file: base64, and RFC 6962's audit path. */
export interface Piece {
  readonly bytes: string
  readonly proof: readonly Hex[]
}

/** A subnet: the folder that designers fork. */
export interface SubnetSpec {
  readonly name: string
  /** Changes whenever an honest validator could score differently; sent as the weights' version key. */
  readonly version: number
  /** The model that honest miners run and validators check against. */
  readonly model: PinnedModel
  /** Rounds in one epoch; a round starts at every block that is a multiple of floor(tempo / roundsPerEpoch). */
  readonly roundsPerEpoch: number
  readonly tasks: Readonly<Record<string, TaskDefinition>>
  /** The task that a round's seed asks of a miner. */
  pick(context: { readonly seed: Hex }): string
  /** Turns a miner's moving average of verdict values (in a training subnet its rating ÷ 50) into its weight before normalisation. */
  reward(average: number): number
  /** Half-life of the moving average, in rounds. */
  readonly halfLifeRounds: number
  /** When a round asks miners again, because noise could have ranked them; absent: never. */
  readonly repeats?: RepeatTerms
  /** What a proven cheat costs, and how surely it is found; absent: no verdict costs more than its round, and no user's answer is audited. */
  readonly audit?: AuditTerms
  /**
   * Set where miners train one model together, in place of answering questions: no round plans or scores a task, `tasks` says what else
   * miners serve (`piece`, finetune/piece-task.ts), and scores are ratings (docs/finetune.md).
   */
  readonly training?: TrainingTerms
}

/** How sure a ranking has to be. */
export interface RepeatTerms {
  /** Two neighbours of the ranking are asked again while their averages differ by no more than so many standard deviations of the difference. */
  readonly k: number
  /** Times that one miner is asked again in a round, at most. */
  readonly most: number
}

/** A model by its content. */
export interface PinnedModel {
  readonly name: string
  /** SHA-256 over the folder's file names and contents. */
  readonly hash: Hex
  /** SHA-256 of the limits that its checks judge by, as canonical JSON; absent: those that each validator's folder has. */
  readonly thresholds?: Hex
}

/** Seeds that a definition is tried with before it is accepted. */
const PROBES: readonly Hex[] = [`0x${'00'.repeat(32)}`, `0x${'5a'.repeat(32)}`, `0x${'ff'.repeat(32)}`]
/** Task names become paths, spec names become folder names. */
const NAME = /^[a-z][a-z0-9-]{0,31}$/
/** Classes that can still be called coarse. */
const MOST_CLASSES = 8
/** Repeats that fit into a round. */
const MOST_REPEATS = 64
/** The envelope lets a request ask for no more than a minute. */
const MAX_DEADLINE_MS = 60_000

/**
 * Defines a task; request and response types follow from the schemas.
 * @throws SPEC_INVALID when a bound is out of range, or the plan is not pure or does not fit its own schema and size
 * @throws SYNAPSE_INVALID, SYNAPSE_SCHEMA when its synapse cannot be made of the schemas
 */
export const defineTask = <Request, Response>(
  task: TaskDefinition<Request, Response>,
): TaskDefinition<Request, Response> => {
  for (const [name, value, max] of [
    ['deadlineMs', task.deadlineMs, MAX_DEADLINE_MS],
    ['maxRequestBytes', task.maxRequestBytes, 2 ** 30],
    ['maxResponseBytes', task.maxResponseBytes, 2 ** 30],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw invalid(`${name} is ${value}; use an integer in 1..${max}`)
  }
  const shares = task.timing ?? []
  if (shares.length >= MOST_CLASSES || shares.some((share, i) => !(share > (shares[i - 1] ?? 0) && share < 1)))
    throw invalid(`timing is [${shares.join(', ')}]; use fewer than ${MOST_CLASSES} ascending shares between 0 and 1`)
  if (task.synapse !== undefined) {
    synapseOf({ ...task.synapse, request: task.request, response: task.response })
    if (task.synapse.stream !== undefined && task.stream === undefined)
      throw invalid(`synapse ${task.synapse.name} is streamed, the task is not; set stream: true and emit in solve`)
  }
  for (const seed of PROBES) {
    const planned = task.plan({ seed })
    const text = JSON.stringify(planned)
    if (text !== JSON.stringify(task.plan({ seed })))
      throw invalid(`plan gives two requests for seed ${seed}; derive everything from the seed`)
    if (!task.request.safeParse(JSON.parse(text)).success)
      throw invalid(`plan gives a request for seed ${seed} that its schema refuses`)
    if (Buffer.byteLength(text) > task.maxRequestBytes)
      throw invalid(`plan gives more than maxRequestBytes for seed ${seed}`)
  }
  return task
}

/**
 * Defines a subnet.
 * @throws SPEC_INVALID naming what is wrong with it
 */
export const defineSubnet = (spec: SubnetSpec): SubnetSpec => {
  const tasks = Object.keys(spec.tasks)
  if (!NAME.test(spec.name)) throw invalid(`name "${spec.name}" is not lower-case letters, digits and dashes`)
  if (!Number.isSafeInteger(spec.version) || spec.version < 1)
    throw invalid(`version is ${spec.version}; use an integer from 1`)
  if (!isHex(spec.model.hash, 32))
    throw invalid(`model hash "${spec.model.hash}" is not 32 bytes; copy it from the model's card`)
  if (!Number.isInteger(spec.roundsPerEpoch) || spec.roundsPerEpoch < 1)
    throw invalid(`roundsPerEpoch is ${spec.roundsPerEpoch}; use an integer from 1`)
  if (!(spec.halfLifeRounds > 0)) throw invalid(`halfLifeRounds is ${spec.halfLifeRounds}; use a number above 0`)
  if (tasks.length === 0) throw invalid('there is no task; define one')
  const synapses = Object.values(spec.tasks).flatMap(({ synapse }) => (synapse === undefined ? [] : [synapse.name]))
  const twice = synapses.find((name, index) => name === 'Synapse' || synapses.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`synapse name "${twice}" is taken; give each task one of its own`)
  for (const name of tasks)
    if (!NAME.test(name)) throw invalid(`task name "${name}" is not lower-case letters, digits and dashes`)
  for (const seed of PROBES) {
    const picked = spec.pick({ seed })
    if (!tasks.includes(picked)) throw invalid(`pick names "${picked}" for seed ${seed}; tasks are ${tasks.join(', ')}`)
  }
  if (spec.model.thresholds !== undefined && !isHex(spec.model.thresholds, 32))
    throw invalid(`model thresholds "${spec.model.thresholds}" are not 32 bytes; copy what \`arbor model show\` says`)
  if (spec.repeats !== undefined) {
    const { k, most } = spec.repeats
    if (!(k > 0 && k <= 10)) throw invalid(`repeats.k is ${k}; use a number above 0, and 10 at most`)
    if (!Number.isInteger(most) || most < 1 || most > MOST_REPEATS)
      throw invalid(`repeats.most is ${most}; use an integer in 1..${MOST_REPEATS}`)
  }
  const fault = spec.audit === undefined ? null : faultOfTerms(spec.audit)
  if (fault !== null) throw invalid(fault)
  if (spec.training !== undefined) {
    const wrong = faultOfTraining(spec.training)
    if (wrong !== null) throw invalid(`training.${wrong}`)
    if (spec.repeats !== undefined) throw invalid('repeats are of questions, and training asks none; leave them out')
  }
  for (const average of [0, 0.5, 1]) {
    const reward = spec.reward(average)
    if (!Number.isFinite(reward) || reward < 0)
      throw invalid(`reward(${average}) is ${reward}; it must be finite and not negative`)
  }
  return spec
}

const invalid = (what: string): SubnetError =>
  new SubnetError({ code: 'SPEC_INVALID', message: `The subnet definition is unusable: ${what}` })

/** Tells whether a value has the parts of a subnet; `defineSubnet` says whether they are usable. */
const shape = z.looseObject({
  name: z.string(),
  version: z.number(),
  model: z.looseObject({ name: z.string(), hash: z.string() }),
  roundsPerEpoch: z.number(),
  halfLifeRounds: z.number(),
  pick: z.custom((value) => typeof value === 'function'),
  reward: z.custom((value) => typeof value === 'function'),
  tasks: z.record(
    z.string(),
    z.looseObject({
      plan: z.custom((value) => typeof value === 'function'),
      solve: z.custom((value) => typeof value === 'function'),
      score: z.custom((value) => typeof value === 'function'),
      request: z.custom((value) => typeof value === 'object' && value !== null && 'safeParse' in value),
      response: z.custom((value) => typeof value === 'object' && value !== null && 'safeParse' in value),
    }),
  ),
})

/** Narrows what a spec's file exports. */
export const isSubnetSpec = (value: unknown): value is SubnetSpec => shape.safeParse(value).success
