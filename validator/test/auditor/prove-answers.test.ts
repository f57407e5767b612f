import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Ss58, UnixMs } from '@arbor/shared/units'
import spec from '@arbor/subnet-spec/inference-tiny'
import pino from 'pino'
import { expect, test } from 'vitest'
import { followSources } from '../../src/auditor/follow-sources.ts'
import { drawnBy } from '../../src/draw.ts'
import { exchangeId } from '../../src/exchange.ts'
import type { LogEntry, VerdictEntry } from '../../src/log/entry.ts'
import { RECEIPT_FORMAT, type Receipt } from '../../src/receipts.ts'
import { asker, exchangeWith, miner } from '../exchange.ts'
import {
  hashOf,
  NETUID,
  neuron,
  type Served,
  serveEntries,
  type ToldChain,
  toldChain,
  VALIDATOR,
  writeLog,
} from './written.ts'

const copier = keypairFromUri('//Copier')

/** The metagraph of an auditor, two validators and a miner. */
const chainOf = (): ToldChain => {
  const permit = { axon: null, validatorPermit: true, lastUpdate: 60 as Block }
  const chain = toldChain(() => [
    neuron(0, VALIDATOR.address, permit),
    neuron(1, asker.address, { ...permit, totalStake: 70n as never }),
    neuron(2, copier.address, { ...permit, totalStake: 30n as never }),
    neuron(3, keypairFromUri('//Idle').address, { axon: null }),
    neuron(4, miner.address, { registeredAt: 5 as Block }),
  ])
  chain.head = 105
  return chain
}

/** Rounds with answers that were given to `asker`, in a log that anybody may sign. */
function answeredLog(
  chain: ToldChain,
  rounds: readonly number[],
  signer: Keypair = asker,
  of: { readonly lost?: object; readonly silentFrom?: number } = {},
) {
  const { lost, silentFrom = Number.POSITIVE_INFINITY } = of
  const bodies = new Map<string, string>()
  const answered = ({ seed, roundBlock, task }: VerdictEntry): Partial<VerdictEntry> => {
    const after = roundBlock + 1
    const request = spec.tasks[task]?.plan({ seed })
    const exchange = exchangeWith({ counter: roundBlock, request, respond: () => ({ n: 1 }), after, kind: 'planned' })
    const drawnAt = (after + 1) as Block
    const receipt: Receipt = {
      format: RECEIPT_FORMAT,
      id: exchangeId(exchange),
      exchange,
      drawn: drawnBy({ number: drawnAt, hash: hashOf(drawnAt) }, exchange),
      share: null,
      verdict: { reason: 'ok', value: 1, sigma: 0 },
      check: null,
      judgedBy: signer.address,
      judgedAt: 1_800_000_000_000 as UnixMs,
    }
    bodies.set(receipt.id, JSON.stringify(receipt))
    return { answerHash: exchange.answerHash, receipt: receipt.id, drawnAt }
  }
  const log = writeLog({ chain, spec, signer })
  log.begin(1)
  const others = new Set<Ss58>([asker.address, copier.address, VALIDATOR.address])
  for (const at of rounds)
    log.round({
      at,
      outcome: (hotkey) => {
        if (others.has(hotkey)) return null
        return at < silentFrom ? { reason: 'ok', value: 1 } : { reason: 'timeout', value: 0, signed: false }
      },
      answered,
    })
  const entries = log.entries.map((entry) =>
    entry.kind === 'terms' && lost ? { ...entry, lost } : entry,
  ) as LogEntry[]
  return { entries, bodies }
}

/** Serves a log with its bodies, and anchors what it has of it. */
function serveAnswers(
  chain: ToldChain,
  { entries, bodies }: ReturnType<typeof answeredLog>,
  of: { readonly signer?: Keypair; readonly anchored?: { readonly size: number; readonly block: number } } = {},
): Served {
  const { signer = asker } = of
  const served = serveEntries(entries, { signer, block: 100 })
  const { size = entries.length, block = 95 } = of.anchored ?? {}
  const { root } = serveEntries(entries.slice(0, size), { signer, block: 1 }).signed
  chain.anchored.set(signer.address, [{ size, root, url: served.url, block }])
  served.body = async (id) => {
    const text = bodies.get(id)
    if (text !== undefined) return text
    throw new SubnetError({ code: 'AUDIT_HTTP', message: 'none', details: { status: 404 } })
  }
  return served
}

/** Follows one source over some audits. @returns who passed after each, and what was said of it */
async function follow(
  chain: ToldChain,
  open: (nth: number) => Served,
  { source = asker.address, audits = 1, acceptLost = [] as readonly Ss58[] } = {},
) {
  const lines: Record<string, unknown>[] = []
  const passed: (readonly Ss58[])[] = []
  const metagraph = await chain.client.metagraph(NETUID)
  let epochIndex = 0
  const followed = followSources({
    view: {
      after: async () => ({ metagraph: { ...metagraph, epochIndex }, hyperparameters: {} as never, me: undefined }),
    } as never,
    keep: async ({ next, step }, signal) => {
      for (; epochIndex < audits; epochIndex += 1) {
        await step(await next(signal), signal)
        passed.push((followed.passed() ?? []).map(({ validator }) => validator))
      }
    },
    clock: systemClock,
    log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    self: VALIDATOR.address,
    chosen: [source],
    acceptLost,
    seen: { get: () => undefined, set: () => undefined },
    within: (body) => body({ chain: chain.client, netuid: NETUID, spec, open: () => open(epochIndex) }),
  })
  await followed.loop(new AbortController().signal)
  return { passed, lines, expected: followed.expected(metagraph.neurons) }
}

const ROUNDS = [50, 60, 70, 80]
/** A log of four rounds, made once: signing takes most of the time. */
const GIVEN = answeredLog(chainOf(), ROUNDS)

test('a source passes when its answers were given to it', async () => {
  const chain = chainOf()
  const served = serveAnswers(chain, GIVEN)
  expect(await follow(chain, () => served)).toEqual({ passed: [[asker.address]], lines: [], expected: [asker.address] })
})

test('a source is left out when its verdicts are copied from another validator', async () => {
  const chain = chainOf()
  const served = serveAnswers(chain, answeredLog(chain, ROUNDS, copier), { signer: copier })
  const { passed, lines } = await follow(chain, () => served, { source: copier.address })
  expect(passed).toEqual([[]])
  expect(lines).toMatchObject([
    {
      event: 'auditor.source-failed',
      validator: copier.address,
      mismatch: { kind: 'verdict', what: 'the asker of its body', expected: copier.address, found: asker.address },
    },
  ])
})

test('a source is left out when half of the answers that are drawn have no body, and not for one of four', async () => {
  const chain = chainOf()
  const log = { ...GIVEN, bodies: new Map(GIVEN.bodies) }
  const served = serveAnswers(chain, log)
  const [first = '', second = ''] = [...log.bodies.keys()]
  log.bodies.delete(first)
  expect(await follow(chain, () => served)).toMatchObject({ passed: [[asker.address]], lines: [] })
  log.bodies.delete(second)
  const { passed, lines } = await follow(chain, () => served)
  expect(passed).toEqual([[]])
  expect(lines).toMatchObject([{ event: 'auditor.source-left-out', code: 'AUDIT_UNPROVEN' }])
  expect(lines[0]?.msg).toContain('2 of the 4 answers that were drawn are not served')
})

test('a source is left out when a body is another than its verdict says', async () => {
  const chain = chainOf()
  const { entries, bodies } = GIVEN
  const [one = ''] = bodies.values()
  const served = serveAnswers(chain, { entries, bodies: new Map([...bodies.keys()].map((id) => [id, one])) })
  const { passed, lines } = await follow(chain, () => served)
  expect(passed).toEqual([[]])
  expect(lines).toMatchObject([{ mismatch: { what: 'the id of its body' } }])
})

test('a source is left out when its newest rounds are not anchored for more than two tempos, or nothing is', async () => {
  const chain = chainOf()
  const log = GIVEN
  const until = (at: number): number =>
    1 + log.entries.findIndex((entry) => entry.kind === 'round-end' && entry.roundBlock === at)
  const after = async (size: number) =>
    follow(chain, () => served, {}).then(({ passed, lines }) => [size, passed, lines.map(({ code }) => code)])
  let served = serveAnswers(chain, log, { anchored: { size: until(60), block: 75 } })
  expect(await after(60)).toEqual([60, [[asker.address]], []])
  const later = answeredLog(chain, [...ROUNDS, 90, 100])
  served = serveAnswers(chain, later, { anchored: { size: until(50), block: 75 } })
  expect(await after(50)).toEqual([50, [[]], ['AUDIT_UNPROVEN']])
  served = serveAnswers(chain, log, { anchored: { size: 2, block: 45 } })
  expect(await after(2)).toEqual([2, [[]], ['AUDIT_UNPROVEN']])
})

test('a source is left out when it has scores and no answer of three tempos to show for them', async () => {
  const chain = chainOf()
  const rounds = [20, 30, 40, 50, 60, 70, 80, 90]
  const served = serveAnswers(chain, answeredLog(chain, rounds, asker, { silentFrom: 30 }))
  const { passed, lines } = await follow(chain, () => served)
  expect(passed).toEqual([[]])
  expect(lines).toMatchObject([{ code: 'AUDIT_UNPROVEN', msg: expect.stringContaining('no answer to show') }])
})

test('a source whose anchor no later block follows stays as it was', async () => {
  const chain = chainOf()
  const log = GIVEN
  const served = serveAnswers(chain, log)
  const again = { anchored: { size: log.entries.length, block: 105 } }
  const { passed, lines } = await follow(
    chain,
    (nth) => {
      if (nth === 0) serveAnswers(chain, log, again) // this audit has read the anchor of before
      return served
    },
    { audits: 2 },
  )
  expect(passed).toEqual([[asker.address], [asker.address]])
  expect(lines).toMatchObject([{ code: 'AUDIT_UNPROVEN', msg: expect.stringContaining('the next audit looks again') }])
})

test('a source that cannot be read stays as it was, and one that fails its audit does not', async () => {
  const chain = chainOf()
  const served = serveAnswers(chain, GIVEN)
  const { passed, expected } = await follow(
    chain,
    (nth) => {
      if (nth === 1) throw new SubnetError({ code: 'AUDIT_UNREACHABLE', message: 'away', retryable: true })
      return nth === 0 ? served : { ...served, head: async () => ({ ...served.signed, netuid: 2 as never }) }
    },
    { audits: 3 },
  )
  expect(passed).toEqual([[asker.address], [asker.address], []])
  expect(expected).toEqual([asker.address])
})

test('a source that says that it lost a log is left out until it is accepted', async () => {
  const chain = chainOf()
  const lost = { size: 900, root: hashOf(900) }
  const served = serveAnswers(chain, answeredLog(chain, ROUNDS, asker, { lost }))
  const { passed, lines } = await follow(chain, () => served)
  expect(passed).toEqual([[]])
  expect(lines).toMatchObject([{ event: 'auditor.source-left-out', code: 'AUDIT_LOST' }])
  const accepted = await follow(chain, () => served, { acceptLost: [asker.address] })
  expect(accepted).toMatchObject({ passed: [[asker.address]], lines: [] })
})
