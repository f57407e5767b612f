// One validator of the suite: the product's own parts over a real WebSocket, with simulated miners, until it is killed.
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { connectChain } from '@arbor/chain/client/connect'
import { lockFolder } from '@arbor/chain/folder-lock'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import type { Signer } from '@arbor/shared/signer'
import { supervise } from '@arbor/shared/supervise'
import type { Block, Ms } from '@arbor/shared/units'
import { netUid } from '@arbor/shared/units'
import { timingOf } from '@arbor/subnet-spec/timing'
import { mustBeSameChain, mustNotBeAhead } from '../../validator/src/checks.ts'
import { createKeep } from '../../validator/src/keep.ts'
import { openLedger } from '../../validator/src/ledger.ts'
import { openPublishing } from '../../validator/src/log/publish.ts'
import { createPrecedence } from '../../validator/src/precedence.ts'
import { openReceipts } from '../../validator/src/receipts.ts'
import { staleRule } from '../../validator/src/stale.ts'
import { openTraffic } from '../../validator/src/traffic.ts'
import { createValidator } from '../../validator/src/validator.ts'
import { fastClock } from './clock.ts'
import { watched } from './killing.ts'
import type { ChildConfig, FromChild, ToChild } from './messages.ts'
import { type MinerBook, simulate } from './miners.ts'
import { movesOfLedger } from './moves.ts'
import { isSeldom } from './points.ts'
import { hashed, random } from './random.ts'
import chaosSpec from './spec.ts'
import { type TraceRecord, trace } from './trace.ts'

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ChildConfig
const clock = fastClock(config.speed)
clock.jump(config.offMs)
/** The client's own deadlines follow the machine, since its work does: they are as long as the loops' pauses on a chain of 12 s. */
const linkClock = fastClock(config.linkSpeed)
const stop = new AbortController()
const { signal } = stop
const logFile = openSync(config.log, 'a')
const log = createLogger({
  name: 'validator',
  level: config.logLevel,
  destination: { write: (line: string) => void writeSync(logFile, line) },
})
let isSignerAway = config.signerAway
process.on('message', (message: ToChild) => {
  if ('jumpMs' in message) clock.jump(message.jumpMs)
  else isSignerAway = message.signerAway
})
process.on('disconnect', () => stop.abort(new Error('the driver has gone')))
process.on('SIGTERM', () => stop.abort(new Error('told to stop')))
const tell = (message: FromChild): void => void process.send?.(message)

const spec = { ...chaosSpec, roundsPerEpoch: config.roundsPerEpoch ?? chaosSpec.roundsPerEpoch }
const choice = random(config.seed ^ hashed(`${config.hotkeyUri} ${config.life}`))
const armed = new Set(config.points)
const record = (of: TraceRecord): void => {
  if (config.logLevel === 'debug') trace(config.trace, of) // a run of ten thousand epochs asks of it nothing
}

/** Ends this process as a power cut would, where a point is armed. */
const at = (point: string): void => {
  record({ kind: 'point', point, life: config.life })
  if (!armed.has(point) || !choice.chance(isSeldom(point) ? 1 : config.chance)) return
  record({ kind: 'kill', point, life: config.life })
  process.kill(process.pid, 'SIGKILL')
}

const run = async (): Promise<void> => {
  const key = keypairFromUri(config.hotkeyUri)
  const hotkey: Signer = {
    ...key,
    sign: (message) => {
      if (isSignerAway) throw new SubnetError({ code: 'SIGNER_AWAY', message: 'the signer is away', retryable: true })
      return key.sign(message)
    },
  }
  const netuid = netUid(1)
  const chain = await connectChain({
    url: config.url,
    signal,
    clock: linkClock,
    log,
    needs: ['metagraph', 'hyperparameters', 'weights'],
    limits: { requestMs: 25_000, openMs: 60_000, giveUpMs: 120_000 }, // less than a step may take by the other clock
  })
  mkdirSync(config.data, { recursive: true })
  using _held = lockFolder({ file: join(config.data, 'lock.sqlite'), what: 'a validator' })
  const owner = { genesisHash: chain.genesisHash, netuid, hotkey: hotkey.address }
  using opened = openLedger({ file: join(config.data, 'ledger.sqlite'), owner })
  using db = new DatabaseSync(join(config.data, 'ledger.sqlite'), { readOnly: true })
  const move = movesOfLedger(db)
  const receiptLog = {
    ...opened.log,
    prune: watched({ target: opened.log, move, on: at }).prune,
    heads: watched({ target: opened.log.heads, move, on: at }),
  }
  const ledger = watched({
    target: { ...opened, log: receiptLog },
    move,
    on: at,
    called: (method, args, isDone) => {
      if (method !== 'keepAnswers') return
      const [roundBlock, answers] = args as Parameters<typeof opened.keepAnswers>
      for (const { repeat, hotkey: of } of answers)
        record({ kind: isDone ? 'kept' : 'unkept', question: `${roundBlock}/${repeat}/${of}`, life: config.life })
    },
  })
  mustNotBeAhead(ledger.lastRoundBlock(), (await chain.finalized()).number, config.data)
  await mustBeSameChain(ledger, chain)
  using traffic = openTraffic({ file: join(config.data, 'traffic.sqlite'), owner, spec })
  const receipts = openReceipts({ data: config.data, most: 500 })
  const options = {
    anchor: true,
    receiptsUrl: 'http://127.0.0.1:1',
    keepEpochs: config.keepEpochs,
    keepEntries: 100_000,
  }
  const publishing = await openPublishing({
    ...{ chain, ledger, receipts, hotkey, netuid, spec, clock, log, options },
    data: config.data,
  })
  const keep = createKeep({
    clock,
    log,
    listenerOf: ({ name }) => ({ begun: () => undefined, done: () => tell({ done: name }), failed: () => undefined }),
  })
  const { view, loops } = createValidator({
    chain,
    ledger,
    traffic,
    netuid,
    spec,
    receipts,
    hotkey,
    keep,
    precedence: createPrecedence(),
    clock,
    log,
    threads: 1,
    stale: await staleRule(chain, undefined),
    registered: () => undefined,
    ask: async (task, until) => {
      const run = opened.openRound()
      const about = { question: `${run?.roundBlock}/${run?.pass}/${task.hotkey}`, life: config.life }
      record({ kind: 'ask', ...about })
      const book = JSON.parse(readFileSync(config.book, 'utf8')) as MinerBook
      const { answer, afterMs } = simulate(task, book)
      await clock.sleep((afterMs * config.speed) as Ms, until)
      record({ kind: 'answer', ...about, outcome: answer.kind })
      return answer
    },
    judge: async ({ task, request, response, binding, timing: measured }) => {
      const definition = spec.tasks[task]
      const read = definition?.response.safeParse(JSON.parse(String(Buffer.from(response))))
      if (definition === undefined || read === undefined || !read.success)
        return { reason: 'malformed', value: 0, sigma: 0 }
      const timing = timingOf(definition.timing, measured)
      return definition.score({ request, response: read.data, binding, timing, engine: null as never })
    },
  })
  const told = async (until: AbortSignal): Promise<void> => {
    for (let seen: Block | null = null; !until.aborted; ) {
      const { metagraph } = await view.after(seen, until)
      seen = metagraph.block.number
      tell({ at: seen })
    }
  }
  await supervise({ loops: { ...loops, ...publishing.loops({ keep, view }), told }, signal, clock })
}

try {
  await run()
  log.info({ event: 'chaos.ended' }, 'ended')
  process.exitCode = 0
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'INTERNAL'
  log.error({ event: 'chaos.ended', code, stack: error instanceof Error ? error.stack : null }, String(error))
  process.exitCode = code === 'INTERNAL' ? 70 : 1
}
closeSync(logFile)
process.exit()
