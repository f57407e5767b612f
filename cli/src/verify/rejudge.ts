import { type ModelFolder, readModelFolder } from '@arbor/engine/folder'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { thresholdsHash } from '@arbor/engine/thresholds'
import { SubnetError } from '@arbor/shared/errors'
import type { InferenceEngine } from '@arbor/shared/inference'
import type { SubnetSpec, Verdict } from '@arbor/subnet-spec/define'
import { inferenceFor, inferenceSpecifier } from '@arbor/subnet-spec/inference-specifier'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { timingOf } from '@arbor/subnet-spec/timing'
import { readResponse } from '@arbor/validator/dendrite/response'
import type { Exchange } from '@arbor/validator/exchange'
import type { Receipt } from '@arbor/validator/receipts'

/** What `engine.explain` gives. */
export type Explanation = Awaited<ReturnType<OpenedEngine['explain']>>

/** An answer judged once more. */
export interface Rejudged {
  readonly verdict: Verdict
  /** Null where the spec asked no engine. */
  readonly explanation: Explanation | null
  readonly provider: string
}

/**
 * Judges a receipt's answer again, as its validator did: the same share, by the same spec and model.
 * @throws RECEIPT_MODEL when the folder holds another model or other limits; RECEIPT_SPEC when the spec has no such task
 */
export async function rejudge(of: {
  readonly receipt: Receipt
  readonly folder: string
  readonly spec: string | undefined
  readonly cwd: string
}): Promise<Rejudged> {
  const { exchange, share } = of.receipt
  const model = await readModelFolder({ folder: of.folder })
  mustBeModel(model, exchange, of.folder)
  const spec = await specOf(exchange, model, of)
  const task = spec.tasks[exchange.task]
  if (task === undefined)
    throw new SubnetError({
      code: 'RECEIPT_SPEC',
      message: `The spec ${spec.name} has no task ${exchange.task}; name the receipt's own with --spec`,
    })
  const read = readResponse(task, Buffer.from(exchange.response))
  if (!read.ok) return { verdict: { reason: read.reason, value: 0, sigma: 0 }, explanation: null, provider: 'none' }
  const engine = await openEngine({ folder: of.folder })
  try {
    let explanation: Explanation | null = null
    const explaining: InferenceEngine = {
      model: engine.model,
      generate: (...asked) => engine.generate(...asked),
      check: async (...asked) => {
        explanation = await engine.explain(...asked)
        return explanation.check
      },
    }
    const request: unknown = JSON.parse(exchange.question)
    const { binding } = exchange
    const timing = timingOf(task.timing, exchange.timing)
    const judging = { request, response: read.response, binding, share: share ?? undefined, timing }
    const verdict = await task.score({ ...judging, engine: explaining })
    return { verdict, explanation, provider: engine.provider }
  } finally {
    await engine.close()
  }
}

function mustBeModel({ id, card }: ModelFolder, { model }: Exchange, folder: string): void {
  if (id.hash !== model.hash)
    throw new SubnetError({
      code: 'RECEIPT_MODEL',
      message: `${folder} holds ${id.name} ${id.hash}, the receipt is of ${model.name} ${model.hash}; name that model's folder with --model`,
      details: { found: id.hash, expected: model.hash },
    })
  const limits = thresholdsHash(card.thresholds)
  if (model.thresholds !== undefined && limits !== model.thresholds)
    throw new SubnetError({
      code: 'RECEIPT_MODEL',
      message: `The card in ${folder} has the thresholds ${limits}, the receipt was judged by ${model.thresholds}; restore that card`,
      details: { found: limits, expected: model.thresholds },
    })
}

/** Finds the spec of a receipt: the one named, a built-in one of its model, or the inference subnet of the model. */
async function specOf(
  exchange: Exchange,
  { config }: ModelFolder,
  of: { readonly spec: string | undefined; readonly cwd: string },
): Promise<SubnetSpec> {
  if (of.spec !== undefined) return loadSpec(specifierOf(of.spec, of.cwd))
  for (const name of ['inference', 'inference-tiny']) {
    const spec = await loadSpec(name)
    if (spec.name === exchange.spec.name && spec.model.hash === exchange.model.hash) return spec
  }
  const proof = hasProofs(exchange) ? 'residue' : 'none'
  const speed = { tokensPerSecond: MANY, context: config.context }
  return inferenceFor(inferenceSpecifier({ model: exchange.model, speed, proof }))
}

/** Bounds follow from the speed; a receipt's answer was within its own. */
const MANY = 1_000_000

const hasProofs = ({ response }: Exchange): boolean => {
  const read: unknown = JSON.parse(response)
  const proofs = typeof read === 'object' && read !== null && 'fingerprint' in read ? read.fingerprint : null
  return !Array.isArray(proofs) || proofs.length > 0
}
