import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import type { CommandContext } from '@arbor/shared/command'
import type { Block, Hex, UnixMs } from '@arbor/shared/units'
import spec from '@arbor/subnet-spec/inference-tiny'
import { timingOf } from '@arbor/subnet-spec/timing'
import { drawnBy, lookAt } from '@arbor/validator/draw'
import { exchangeId, exchangeOf } from '@arbor/validator/exchange'
import { openReceipts, RECEIPT_FORMAT, type Receipt } from '@arbor/validator/receipts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askedBy, asker, genesisHash, netuid, taskOf } from '../../validator/test/exchange.ts'
import { verifyCommand } from '../src/verify/command.ts'

const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
const task = spec.tasks.chat
let data: string
let honest: Receipt
let moved: Receipt
let long: Receipt

/** Has a real engine answer, and keeps what a validator would keep. */
const receiptOf = async (of: {
  readonly counter: number
  readonly maxTokens: number
  readonly look?: number
  /** Another than the question's, as of an answer that was made for another question. */
  readonly under?: Hex
}): Promise<Receipt> => {
  if (task === undefined) throw new Error('the spec has no chat')
  const engine = await openEngine({ folder: tiny })
  try {
    const request = { ...(task.plan({ seed: `0x${'07'.repeat(32)}` }) as object), maxTokens: of.maxTokens }
    const { binding, answer } = askedBy({ counter: of.counter, request })
    const signal = new AbortController().signal
    const made = await task.solve({ request, binding: of.under ?? binding, engine, signal })
    const exchange = exchangeOf(
      { genesisHash, netuid, spec, kind: 'user' },
      { task: taskOf(request), answer: answer(made), after: 40 as Block },
    )
    const drawn = drawnBy({ number: 41 as Block, hash: `0x${'b1'.repeat(32)}` }, exchange)
    const share = lookAt({ spec, exchange, drawn, ...(of.look === undefined ? {} : { look: of.look }) })
    const response = JSON.parse(exchange.response)
    const timing = timingOf(task.timing, exchange.timing)
    const verdict = await task.score({ request, response, binding, share, engine, timing })
    return {
      format: RECEIPT_FORMAT,
      id: exchangeId(exchange),
      exchange,
      drawn,
      share: share ?? null,
      verdict,
      check: null,
      judgedBy: asker.address,
      judgedAt: 1_800_000_000_000 as UnixMs,
    }
  } finally {
    await engine.close()
  }
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'arbor-verify-'))
  const receipts = openReceipts({ data, most: 10 })
  honest = await receiptOf({ counter: 1, maxTokens: 48 })
  moved = await receiptOf({ counter: 2, maxTokens: 48, under: `0x${'00'.repeat(32)}` })
  long = await receiptOf({ counter: 3, maxTokens: 96, look: 1 })
  for (const receipt of [honest, moved, long]) receipts.write(receipt)
})
afterAll(() => rmSync(data, { recursive: true, force: true }))

const run = async (...args: string[]): Promise<string> => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const context = { stdout, stderr, cwd: data, homedir: data, env: {}, signal: new AbortController().signal }
  await verifyCommand(context as unknown as CommandContext).parseAsync(args, { from: 'user' })
  return String(stdout.read())
}

describe('arbor verify', () => {
  test('says of an honest answer that it passed, and shows each chunk', async () => {
    const said = await run(honest.id, '--data', data)
    expect(said).toContain("passed (as the receipt says): its hidden states are the model's")
    expect(said).toMatch(/chunk 0 \(tokens 0 to 32\): residue error 0 ≤/)
    expect(said).toContain('48 positions drawn again: 48 give the very token, 0 another')
  })

  test("says of another question's answer which chunks and positions failed, and by how much", async () => {
    const said = JSON.parse(await run(moved.id, '--data', data, '--json'))
    expect(said).toMatchObject({ agrees: true, verdict: { reason: 'fingerprint', value: 0 } })
    for (const { residueError } of said.chunks) expect(residueError).toBeGreaterThan(said.limits.residueError)
    const off = said.positions.filter(({ margin }: { margin: number }) => margin > said.limits.marginMax)
    expect(off.length).toBeGreaterThan(10)
    const text = await run(moved.id, '--data', data)
    expect(text).toMatch(/chunk 1 \(tokens 32 to \d+\): residue error [\d.]+ > /)
    expect(text).toMatch(/position \d+: answered \d+, drawn \d+, margin [\d.]+ > /)
    expect(text).toContain('failed, fingerprint (as the receipt says)')
  })

  test('looks at the same share as the validator did', async () => {
    const said = JSON.parse(await run(long.id, '--data', data, '--json'))
    expect(said).toMatchObject({ agrees: true, verdict: { reason: 'ok' } })
    expect(said.positions).toHaveLength(32)
    expect(said.check.prefilled).toBeGreaterThan(0)
  })

  test('finds a receipt in whatever text has its id, and by its path', async () => {
    const file = join(data, 'copy.json')
    writeFileSync(file, JSON.stringify(honest))
    expect(await run(file)).toContain('passed')
    expect(await run(`arbor-receipt:${honest.id}`, '--data', data)).toContain('passed')
  })

  test('prints no control character that somebody wrote into a receipt', async () => {
    const file = join(data, 'escapes.json')
    writeFileSync(file, JSON.stringify({ ...honest, verdict: { ...honest.verdict, reason: '\u001b[2Jok' } }))
    const text = await run(file)
    expect(text).toContain('\ufffd[2Jok')
    expect(text).not.toContain('\u001b')
  })

  test.each<[string, () => readonly string[], string]>([
    ['no such file or id', () => ['nothing'], 'RECEIPT_MISSING'],
    ['an id without its folder', () => [honest.id], 'RECEIPT_MISSING'],
    ['an id that was not drawn', () => ['ab'.repeat(32), '--data', data], 'RECEIPT_MISSING'],
    ['another model', () => [honest.id, '--data', data, '--model', 'arbor-tiny-int8'], 'RECEIPT_MODEL'],
    ['no such model', () => [honest.id, '--data', data, '--model', 'none-such'], 'MODEL_MISSING'],
  ])('refuses %s', async (_, args, code) => {
    await expect(run(...args())).rejects.toMatchObject({ code })
  })

  test.each<[string, (text: string) => string, string]>([
    ['edited', (text) => text.replace('"uid":4', '"uid":5'), 'RECEIPT_EDITED'],
    ['cut short', (text) => text.slice(0, 900), 'RECEIPT_UNREADABLE'],
    ['of another version', (text) => text.replace('arbor/receipt/1', 'arbor/receipt/9'), 'RECEIPT_INVALID'],
  ])('refuses a receipt that is %s', async (name, change, code) => {
    const file = join(data, `${name.replaceAll(' ', '-')}.json`)
    writeFileSync(file, change(JSON.stringify(honest)))
    await expect(run(file)).rejects.toMatchObject({ code })
  })
})
