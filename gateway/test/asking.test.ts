import { createManualClock } from '@arbor/shared/manual-clock'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../src/asking.ts'
import { answered, askingOf, fault, miner, type Script, silent, speaking } from './support/gateway.ts'

const never = new AbortController().signal
const question = {
  request: { prompt: 'x', maxTokens: 8, temperature: 1, seed: `0x${'11'.repeat(32)}` as const },
  promptTokens: 1,
  maxTokens: 8,
}
/** Gives each miner its own script; the first that is asked has the first. */
const inTurn = (...scripts: readonly Script[]): { readonly script: Script; readonly asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    script: (task, signal, onChunk) => {
      asked.push(task.hotkey)
      return (scripts[asked.length - 1] ?? silent)(task, signal, onChunk)
    },
  }
}
const now =
  (answer: Awaited<ReturnType<Script>>): Script =>
  () =>
    Promise.resolve(answer)

describe('asking', () => {
  test('hands text on as it comes, and gives the whole with its receipt', async () => {
    const { asking, router } = askingOf({ script: speaking('Hel', 'lo') })
    const heard: string[] = []
    const outcome = await asking(question, { signal: never, onText: (text) => void heard.push(text) })
    expect(outcome).toMatchObject({
      kind: 'answered',
      text: 'Hello',
      tokens: 2,
      finish: 'stop',
      receipt: 'ab'.repeat(32),
    })
    expect(heard).toEqual(['Hel', 'lo'])
    expect(router.inFlight).toBe(0)
  })

  test('joins characters that a miner has split between pieces', async () => {
    const bytes = Buffer.from('🌳')
    const { asking } = askingOf({
      script: async (_task, _signal, onChunk) => {
        onChunk?.(bytes.subarray(0, 2))
        onChunk?.(bytes.subarray(2))
        return answered('🌳')
      },
    })
    const heard: string[] = []
    await asking(question, { signal: never, onText: (text) => void heard.push(text) })
    expect(heard).toEqual(['🌳'])
  })

  test('asks another miner when one fails before its first text, and never the same twice', async () => {
    const { script, asked } = inTurn(now(fault('connect-refused')), now(fault('busy')), speaking('ok'))
    const outcomes: string[] = []
    const { asking, router } = askingOf({ script, outcomes })
    expect(await asking(question, { signal: never })).toMatchObject({ kind: 'answered', text: 'ok' })
    expect(new Set(asked).size).toBe(3)
    expect(outcomes).toEqual(['connect-refused', 'busy', 'ok'])
    expect(router.miners().filter(({ resting }) => resting)).toHaveLength(2)
  })

  test('gives up after three miners, and says what they did', async () => {
    const { script, asked } = inTurn(...Array.from({ length: 5 }, () => now(fault('refused'))))
    const { asking } = askingOf({ script, miners: ['A', 'B', 'C', 'D'].map((letter) => miner(letter)) })
    expect(await asking(question, { signal: never })).toMatchObject({
      kind: 'failed',
      begun: false,
      error: { status: 502, code: 'miners_failed', message: 'No miner answered: refused, refused, refused.' },
    })
    expect(asked).toHaveLength(3)
  })

  test('blames no miner for a question that none could answer, and those that failed where another answered', async () => {
    const refusing = askingOf({ script: now(fault('refused')) })
    await refusing.asking(question, { signal: never })
    expect(refusing.router.miners().some(({ resting }) => resting)).toBe(false)

    const { script, asked } = inTurn(now(fault('refused')), speaking('ok'))
    const mixed = askingOf({ script })
    await mixed.asking(question, { signal: never })
    const resting = mixed.router.miners().filter((each) => each.resting)
    expect(resting.map(({ miner: { hotkey } }) => hotkey)).toEqual([asked[0]])
  })

  test('asks nobody else once text has gone out', async () => {
    const { script, asked } = inTurn(async (_task, _signal, onChunk) => {
      onChunk?.(Buffer.from('He'))
      return fault('stream-cut')
    }, speaking('other'))
    const { asking, router } = askingOf({ script })
    const outcome = await asking(question, { signal: never, onText: () => undefined })
    expect(outcome).toMatchObject({ kind: 'failed', begun: true, error: { status: 502 } })
    expect(asked).toHaveLength(1)
    expect(router.miners().filter(({ resting }) => resting)).toHaveLength(1)
  })

  test('asks another miner when the text that broke off has gone to nobody', async () => {
    const { script, asked } = inTurn(async (_task, _signal, onChunk) => {
      onChunk?.(Buffer.from('Hel'))
      return fault('early-close')
    }, speaking('whole'))
    const { asking, router } = askingOf({ script })
    expect(await asking(question, { signal: never })).toMatchObject({ kind: 'answered', text: 'whole' })
    expect(asked).toHaveLength(2)
    expect(router.miners().filter(({ resting }) => resting)).toHaveLength(1)
  })

  test('does not take an answer for audits that is another than users saw', async () => {
    const records: unknown[] = []
    const record = (of: unknown): string => {
      records.push(of)
      return ''
    }
    const { script } = inTurn(async (_task, _signal, onChunk) => {
      onChunk?.(Buffer.from('cheap'))
      return answered('honest')
    })
    const outcomes: string[] = []
    const { asking } = askingOf({ script, record, outcomes })
    expect(await asking(question, { signal: never, onText: () => undefined })).toMatchObject({
      kind: 'failed',
      begun: true,
    })
    expect(outcomes).toEqual(['other-text'])
    expect(records).toEqual([])
  })

  test.each([
    ['more tokens than were asked for', answered('x', { tokens: 9 })],
    ['another shape', { ...answered('x'), body: Buffer.from('{"text": 5}') } as ReturnType<typeof answered>],
  ])('takes no answer of %s', async (_, bad) => {
    const { script } = inTurn(now(bad), speaking('ok'))
    const outcomes: string[] = []
    const { asking } = askingOf({ script, outcomes })
    expect(await asking(question, { signal: never })).toMatchObject({ kind: 'answered', text: 'ok' })
    expect(outcomes).toEqual(['schema', 'ok'])
  })

  test('takes bytes that are no text for a failure', async () => {
    const { script } = inTurn(async (task, signal, onChunk) => {
      onChunk?.(Buffer.from([0xff]))
      return silent(task, signal)
    }, speaking('ok'))
    const { asking } = askingOf({ script })
    expect(await asking(question, { signal: never })).toMatchObject({ kind: 'answered', text: 'ok' })
  })

  test('leaves a miner that says nothing for half of its time', async () => {
    const clock = createManualClock()
    const { script, asked } = inTurn(silent, speaking('ok'))
    const { asking } = askingOf({ script, clock })
    const outcome = asking(question, { signal: never })
    await clock.advance(4_999)
    expect(asked).toHaveLength(1)
    await clock.advance(1)
    expect(await outcome).toMatchObject({ kind: 'answered', text: 'ok' })
    expect(clock.sleeping()).toBe(0)
  })

  test('stops the miner’s work when the caller has gone', async () => {
    let stopped = false
    const gone = new AbortController()
    const { asking, router } = askingOf({
      script: (task, signal) => {
        signal.addEventListener('abort', () => {
          stopped = true
        })
        return silent(task, signal)
      },
    })
    const outcome = asking(question, { signal: gone.signal })
    await Promise.resolve()
    gone.abort(new Error('gone'))
    await expect(outcome).rejects.toThrow('gone')
    expect([stopped, router.inFlight]).toEqual([true, 0])
    expect(router.miners().some(({ resting }) => resting)).toBe(false)
  })

  test('asks the same miner again when the reason was ours', async () => {
    const { script, asked } = inTurn(now({ kind: 'ours', reason: 'thread', why: 'a test' }), speaking('ok'))
    const { asking } = askingOf({ script, miners: [miner('A')] })
    expect(await asking(question, { signal: never })).toMatchObject({ kind: 'answered' })
    expect(asked).toEqual(['5A', '5A'])
  })

  test('tells full from empty', async () => {
    const codeOf = (outcome: Outcome): unknown =>
      outcome.kind === 'failed' ? [outcome.error.status, outcome.error.code] : null
    const none = askingOf({ script: silent, miners: [] })
    expect(codeOf(await none.asking(question, { signal: never }))).toEqual([503, 'no_miners'])
    const full = askingOf({ script: silent, limits: { inFlight: 1, perMiner: 1, waiting: 0 } })
    const gone = new AbortController()
    const first = full.asking(question, { signal: gone.signal })
    expect(codeOf(await full.asking(question, { signal: never }))).toEqual([503, 'overloaded'])
    gone.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
  })

  test('waits no longer than its patience for a miner to be free', async () => {
    const clock = createManualClock()
    const { asking, router } = askingOf({
      script: (task, signal, onChunk) => {
        onChunk?.(Buffer.from('a')) // so that it is not left for its silence
        return silent(task, signal)
      },
      clock,
      limits: { inFlight: 1, perMiner: 1, waiting: 4 },
    })
    const gone = new AbortController()
    const first = asking(question, { signal: gone.signal })
    const second = asking(question, { signal: never })
    await clock.advance(30_000)
    expect(await second).toMatchObject({ kind: 'failed', error: { status: 503, code: 'overloaded', retryAfterS: 2 } })
    gone.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    expect([router.inFlight, router.waiting, clock.sleeping()]).toEqual([0, 0, 0])
  })
})
