import type { BlockRef, ChainClient, Metagraph } from '@arbor/chain/client/types'
import type { Block, Blocks, Hex, NetUid } from '@arbor/shared/units'
import { isDrawn } from '@arbor/subnet-spec/audit/draw'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { roundBlocks, roundOf, roundStart } from '@arbor/subnet-spec/rounds'
import { planAudits } from './audit-plan.ts'
import type { ChainView } from './chain-view.ts'
import { drawnBy, lookAt, sizeOf } from './draw.ts'
import { forfeitOf, tellForfeit } from './forfeit.ts'
import { type JudgeDeps, judgeExchange } from './judge.ts'
import type { Keep } from './keep.ts'
import type { AuditCount, AuditLedger, AuditPlan, AuditRow, Forfeit, Pass } from './ledger-audits.ts'
import type { Precedence } from './precedence.ts'
import { registrationKey } from './scores.ts'
import type { Traffic, Waiting } from './traffic.ts'

export interface AuditDeps extends JudgeDeps {
  readonly chain: Pick<ChainClient, 'blockHash' | 'metagraph' | 'registrationCost'>
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly ledger: AuditLedger
  readonly traffic: Traffic
  readonly precedence: Precedence
  /** Answers that are judged at once. */
  readonly threads: number
}

/** Answers that are read from the file at once. */
const BATCH = 64
/** Answers of which the average length is taken. */
const SAMPLE = 32

/** Milliseconds that a pass may take: 512 answers a round at a few seconds each. */
const PASS_MS = 7_200_000

/**
 * Audits users' answers, once a round for those of the rounds before; ends only by the signal or by throwing.
 * A pass that a kill interrupted is taken up as it was planned: each answer is judged and counted once.
 */
export function runAudits(
  deps: AuditDeps & { readonly view: ChainView; readonly keep: Keep },
  signal: AbortSignal,
): Promise<void> {
  let seen: Block | null = null
  return deps.keep(
    {
      name: 'audits',
      timeoutMs: PASS_MS,
      next: (until) => deps.view.after(seen, until),
      step: async ({ metagraph }, until) => {
        seen = metagraph.block.number // before anything fails: what is too old is not looked at again and again
        await auditIfDue(deps, deps.view.now().metagraph.block, until)
      },
    },
    signal,
  )
}

/** Ends an interrupted pass, and runs one more when a round has begun since the last. */
export async function auditIfDue(deps: AuditDeps, head: BlockRef, signal: AbortSignal): Promise<void> {
  const interrupted = deps.ledger.openPass()
  if (interrupted !== null) await runPass(deps, interrupted, signal)
  const oldest = deps.traffic.oldest()
  if (oldest === null) return
  const metagraph = await deps.chain.metagraph(deps.netuid, head.hash)
  const pass = nextPass(deps, head, metagraph)
  if (oldest >= pass.before || pass.before <= (deps.ledger.lastPass()?.before ?? -1)) return
  await beginPass(deps, pass, { head, metagraph })
  await runPass(deps, pass, signal)
}

/** Names the pass that is due: over answers whose draws are final, as the round's first block is. */
function nextPass({ spec, traffic }: AuditDeps, head: BlockRef, { tempo }: Metagraph): Pass {
  const length = roundBlocks({ tempo, roundsPerEpoch: spec.roundsPerEpoch })
  const current = roundOf({ block: head.number, length })
  const round = current - 1 // whose answers these are, but for some that came late
  const before = roundStart({ round: current, length })
  return { before, upTo: traffic.lastRow(), round, epoch: Math.floor(round / spec.roundsPerEpoch) }
}

async function beginPass(
  { chain, netuid, spec, traffic, ledger }: AuditDeps,
  pass: Pass,
  { head, metagraph }: { readonly head: BlockRef; readonly metagraph: Metagraph },
): Promise<void> {
  const burn = await chain.registrationCost(netuid, head.hash)
  const sample = traffic.waiting({ ...pass, most: SAMPLE })
  const sizes = sample.map(({ exchange }) => sizeOf(spec, exchange))
  const mean = (key: 'chunks' | 'tokens'): number =>
    sizes.reduce((sum, size) => sum + size[key], 0) / Math.max(1, sizes.length)
  const chunks = mean('chunks')
  const counts = traffic.counts(pass)
  ledger.beginPass({
    ...pass,
    tokens: mean('tokens'),
    plans: planAudits({ spec, pass, counts, metagraph, burn, ledger, chunks }),
  })
  traffic.forgetDropped(pass.before)
}

async function runPass(deps: AuditDeps, pass: Pass, signal: AbortSignal): Promise<void> {
  const { ledger, traffic } = deps
  const plans = new Map(ledger.plans(pass.before).map((plan) => [registrationKey(plan), plan]))
  const { tempo } = await deps.chain.metagraph(deps.netuid)
  const length = roundBlocks({ tempo, roundsPerEpoch: deps.spec.roundsPerEpoch })
  for (;;) {
    const batch = traffic.waiting({ ...pass, most: BATCH })
    if (batch.length === 0) break
    await auditBatch(deps, { pass, length, plans, batch }, signal)
  }
  report(deps, pass, ledger.endPass(pass.before))
}

interface Batch {
  readonly pass: Pass
  /** Blocks of a round. */
  readonly length: Blocks
  readonly plans: ReadonlyMap<string, AuditPlan>
  readonly batch: readonly Waiting[]
}

/** Looks at the drawn ones of a batch; all of it leaves the file once the ledger has what was found. */
async function auditBatch(deps: AuditDeps, { pass, length, plans, batch }: Batch, signal: AbortSignal): Promise<void> {
  const { ledger, traffic, clock, log, spec } = deps
  const done = ledger.audited(batch.map(({ id }) => id))
  const open = batch.filter(({ id }) => !done.has(id))
  const looked = open.flatMap((waiting): Looked[] => {
    const plan = plans.get(registrationKey(waiting.exchange))
    return plan === undefined || plan.share === 0 ? [] : [{ waiting, plan }] // the subnet audits no users, or nothing tempts
  })
  const hashes = await hashesOf(deps, looked)
  const drawn = looked.flatMap((each) => drawOver(each, hashes))
  const audits: AuditRow[] = []
  const queue = [...drawn]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      audits.push(await auditOne(deps, next, signal))
  }
  await Promise.all(Array.from({ length: deps.threads }, work))
  signal.throwIfAborted()
  const forfeits = audits.flatMap((audit): Forfeit[] => {
    const about = { ...audit, spec, length, kind: 'user', atBlock: pass.before, receipt: audit.id } as const
    const forfeit = forfeitOf(about)
    return forfeit === null ? [] : [forfeit]
  })
  ledger.recordAudits({ before: pass.before, at: clock.now(), audits, forfeits })
  traffic.forget(batch.map(({ id }) => id))
  for (const forfeit of forfeits) tellForfeit(log, forfeit)
}

interface Looked {
  readonly waiting: Waiting
  readonly plan: AuditPlan
}

interface Drawn extends Looked {
  readonly by: NonNullable<ReturnType<typeof drawnBy>>
}

/** Asks for each block that draws over a batch once: many answers share one. */
async function hashesOf({ chain }: AuditDeps, looked: readonly Looked[]): Promise<ReadonlyMap<number, Hex | null>> {
  const numbers = new Set(looked.map(({ waiting }) => drawnAt(waiting)))
  return new Map(
    await Promise.all([...numbers].map(async (number) => [number, await chain.blockHash(number)] as const)),
  )
}

const drawnAt = ({ exchange }: Waiting): Block => (exchange.after + 1) as Block

/** Draws over one answer; nothing when it is not looked at. */
const drawOver = ({ waiting, plan }: Looked, hashes: ReadonlyMap<number, Hex | null>): readonly Drawn[] => {
  const number = drawnAt(waiting)
  const hash = hashes.get(number) ?? null
  const by = hash === null ? null : drawnBy({ number, hash }, waiting.exchange)
  return by !== null && isDrawn(by.draw, plan.share) ? [{ waiting, plan, by }] : []
}

async function auditOne(deps: AuditDeps, { waiting, plan, by }: Drawn, signal: AbortSignal): Promise<AuditRow> {
  const { exchange } = waiting
  await deps.precedence.turn(signal)
  const share = lookAt({ ...deps, exchange, drawn: by, look: plan.look })
  const found = await judgeExchange(deps, { exchange, drawn: by, share }, signal)
  const { hotkey, uid, registeredAt } = exchange
  const about = { id: waiting.id, hotkey, uid, registeredAt }
  if (found === null) return { ...about, reason: 'unjudged', value: 0, checkMs: null, prefilled: null }
  const { reason, value, check, checkMs = null } = found.judged
  return { ...about, reason, value, checkMs, prefilled: check?.prefilled ?? null }
}

/** Says how surely a miner that cheats always would have been found, by the attack that hides best. */
function report({ log }: AuditDeps, { round, epoch }: Pass, counts: readonly AuditCount[]): void {
  const miners = counts.map(({ uid, hotkey, answers, dropped, audited, failed, share, outlook }) => {
    const found = Math.min(1, ...outlook.filter(({ tempts }) => tempts).map(({ foundInEpoch }) => foundInEpoch))
    return { uid, hotkey, answers, dropped, audited, failed, share, found }
  })
  log.info({ event: 'audits.done', round, epoch, miners }, `users' answers of ${miners.length} miners audited`)
}
