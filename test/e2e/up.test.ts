import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { alive, descendants, main } from './support/process.ts'

const rao = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt)
const share = z.number().min(0).max(1)
const reportSchema = z.strictObject({
  netuid: z.literal(1),
  epochs: z.literal(3),
  blocks: z.number().int().positive(),
  secondsToFirstWeights: z.number().positive(),
  miners: z.array(
    z.strictObject({
      hotkey: z.string().startsWith('5'),
      uid: z.number().int().nonnegative(),
      kind: z.enum(['honest', 'cheat:int8']),
      verdicts: z.record(z.string(), z.number().int().positive()),
      incentive: share,
      emissionRao: rao,
    }),
  ),
  validators: z.array(
    z.strictObject({
      hotkey: z.string().startsWith('5'),
      uid: z.number().int().nonnegative(),
      weights: z.array(z.tuple([z.number().int(), z.number().int().min(1).max(65_535)])),
      readBackBlock: z.number().int().positive(),
      readBack: z.boolean(),
      audit: z.strictObject({
        epoch: z.number().int(),
        equal: z.boolean(),
        row: z.array(z.tuple([z.number().int(), z.number().int()])).nullable(),
        recomputed: z.array(z.tuple([z.number().int(), z.number().int()])).nullable(),
        firstMismatch: z.json(),
      }),
      dividends: share,
      emissionRao: rao,
    }),
  ),
  issuedRao: rao,
  paid: z.strictObject({ miners: rao, validators: rao, owner: rao, pending: rao, burned: rao, dust: rao }),
})

let folder: string
let running: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-up-'))
})
afterEach(() => {
  running?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const up = (...args: readonly string[]): ChildProcess => {
  const env = { PATH: process.env.PATH, HOME: folder, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  running = spawn(process.execPath, [main, 'up', '--data', join(folder, 'net'), ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return running
}

/** Reads a process's output until it says something. */
const says = async (child: ChildProcess, word: string): Promise<void> => {
  let seen = ''
  for await (const chunk of child.stdout ?? []) {
    seen += chunk
    if (seen.includes(word)) return
  }
  throw new Error(`it ended without saying ${word}:\n${seen}`)
}

/** What each validator asked, by round, miner and repeat, as their ledgers have it. */
const questionsOf = (net: string): ReadonlyMap<string, string>[] =>
  readdirSync(net, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('ledger.sqlite'))
    .map((path) => {
      using db = new DatabaseSync(join(net, path), { readOnly: true })
      const rows = db.prepare('SELECT round_block, hotkey, repeat, task, seed FROM verdicts').all()
      return new Map(rows.map((row) => [`${row.round_block} ${row.hotkey} ${row.repeat}`, `${row.task} ${row.seed}`]))
    })

describe('arbor up', () => {
  test('pays honest miners and not the cheat, with books that balance, when it runs three epochs', async () => {
    const child = up('--epochs', '3', '--json', '--seed', '5')
    const [stdout, stderr] = await Promise.all([
      text(child.stdout as Readable),
      text(child.stderr as Readable),
      once(child, 'exit'),
    ])
    expect(child.exitCode, stderr).toBe(0)
    const report = reportSchema.parse(JSON.parse(stdout))

    const honest = report.miners.filter(({ kind }) => kind === 'honest')
    const cheats = report.miners.filter(({ kind }) => kind === 'cheat:int8')
    expect([honest.length, cheats.length, report.validators.length]).toEqual([3, 1, 2])
    for (const miner of honest) {
      expect(miner.incentive).toBeGreaterThan(0)
      expect(miner.emissionRao).toBeGreaterThan(0n)
      expect(miner.verdicts.ok).toBeGreaterThan(0)
    }
    for (const cheat of cheats) {
      expect(cheat).toMatchObject({ incentive: 0, emissionRao: 0n })
      expect(cheat.verdicts.ok).toBeUndefined()
      expect((cheat.verdicts.fingerprint ?? 0) + (cheat.verdicts.sampling ?? 0)).toBeGreaterThan(0)
    }
    for (const validator of report.validators) {
      expect(validator.readBack).toBe(true)
      expect(validator.audit).toMatchObject({ equal: true, firstMismatch: null })
      expect(validator.audit.recomputed).toEqual(validator.audit.row)
      expect(validator.dividends).toBeGreaterThan(0)
      expect(validator.weights.map(([uid]) => uid)).toEqual(honest.map(({ uid }) => uid).sort((a, b) => a - b))
    }
    const [first, second] = questionsOf(join(folder, 'net'))
    const both = [...(first ?? [])].filter(([asked]) => second?.has(asked))
    expect(both.length).toBeGreaterThanOrEqual(4) // a round of all miners at least
    for (const [asked, question] of both) expect(question).toBe(second?.get(asked))
    const paid = Object.values(report.paid).reduce((sum, amount) => sum + amount, 0n)
    expect(paid).toBe(report.issuedRao)
    expect(report.issuedRao).toBeGreaterThan(0n)
    expect(report.paid.miners).toBe(report.miners.reduce((sum, { emissionRao }) => sum + emissionRao, 0n))
    expect(readdirSync(folder)).toEqual(['net']) // nothing in the user's home

    const other = up('--subnet', 'finetune')
    const [why] = await Promise.all([text(other.stderr as Readable), once(other, 'exit')])
    expect([other.exitCode, why]).toEqual([1, expect.stringMatching(/UP_OTHER_NET: .*--fresh.*--data/)])
    expect(readdirSync(join(folder, 'net'))).toContain('validator-2') // what was there is kept
  }, 240_000)

  test('starts the attacks named, serves users, and ends with a table of what each earned', async () => {
    const child = up(
      ...['--spec', 'inference-tiny', '--miners', '2', '--zoo', 'truncate,seed', '--gateway', '--epochs', '2'],
    )
    let seen = ''
    let asked: Promise<Response> | undefined
    for await (const chunk of child.stdout ?? []) {
      seen += chunk
      const [, url, keyFile] = /OpenAI's API at (\S+), its key in (\S+)\n/.exec(seen) ?? []
      if (url === undefined || keyFile === undefined || asked !== undefined) continue
      const key = readFileSync(keyFile, 'utf8').trim()
      asked = fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } })
    }
    await once(child, 'close')
    expect(child.exitCode, seen).toBe(0)
    expect(await (await asked)?.json()).toMatchObject({ data: [{ id: 'arbor-tiny' }] })
    const rows = seen.slice(seen.lastIndexOf('of an honest one')).split('\n').slice(1, 5)
    expect(rows.map((row) => row.split(/\s+/)[0])).toEqual(['honest', 'honest', 'cheat:truncate', 'cheat:seed'])
    expect(rows.map((row) => row.endsWith(' 0%'))).toEqual([false, false, true, true])
  }, 180_000)

  test('leaves no process behind when it is interrupted', async () => {
    const child = up('--spec', 'inference-tiny')
    await says(child, 'round 1')
    const started = descendants(child.pid)
    expect(started.length).toBeGreaterThanOrEqual(13) // chain, four miners and two validators with their model processes
    const exited = once(child, 'exit')
    child.kill('SIGINT')
    await exited
    expect(child.exitCode).toBe(0)
    expect(alive(started)).toEqual([])
  }, 120_000)

  test('leaves no process behind when it is killed', async () => {
    const child = up('--spec', 'inference-tiny')
    child.stdout?.resume()
    // It is killed while its validators still start: they are the last, and a round would take longer to come.
    await expect
      .poll(() => descendants(child.pid).length, { timeout: 90_000, interval: 200 })
      .toBeGreaterThanOrEqual(11)
    const started = descendants(child.pid)
    child.kill('SIGKILL')
    await expect.poll(() => alive(started), { timeout: 20_000, interval: 200 }).toEqual([])
  }, 120_000)
})
