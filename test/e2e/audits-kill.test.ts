import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Block } from '@arbor/shared/units'
import { drawOf, isDrawn } from '@arbor/subnet-spec/audit/draw'
import spec from '@arbor/subnet-spec/inference-tiny'
import { afterAll, expect, test } from 'vitest'
import { openLedger } from '../../validator/src/ledger.ts'
import { openTraffic } from '../../validator/src/traffic.ts'
import { asker, genesisHash, hashOf, miner, netuid } from '../../validator/test/audited.ts'
import { answeredBy, taskOf } from '../../validator/test/exchange.ts'

const script = fileURLToPath(new URL('support/auditing.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'arbor-audits-kill-'))
const owner = { genesisHash, netuid, hotkey: asker.address }
const judged = join(folder, 'judged')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const linesOf = (): readonly string[] =>
  existsSync(judged) ? readFileSync(judged, 'utf8').trim().split('\n').filter(Boolean) : []

/** Runs the auditor; kills it when it has judged so many answers more. */
const run = async (killAfter: number | null): Promise<void> => {
  const before = linesOf().length
  const child = spawn(process.execPath, [script, folder, '15'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  const watch = setInterval(() => {
    if (killAfter !== null && linesOf().length >= before + killAfter) child.kill('SIGKILL')
  }, 5)
  await ended
  clearInterval(watch)
}

test('audits that are killed and started again find every drawn answer once, and lose none', async () => {
  const answers = 150
  const drawn = (share: number): number =>
    Array.from({ length: answers }, (_, index) => {
      const of = { counter: index + 1, request: { n: index + 1 }, respond: () => ({ n: index + 1 }) }
      const { answerHash } = answeredBy(of)
      return isDrawn(drawOf({ blockHash: hashOf(13), answerHash, hotkey: miner.address }), share)
    }).filter(Boolean).length
  const ids: string[] = []
  {
    using traffic = openTraffic({ file: join(folder, 'traffic.sqlite'), owner, spec })
    for (let counter = 1; counter <= answers; counter += 1) {
      const request = { n: counter }
      const answer = answeredBy({ counter, request, respond: () => ({ n: counter }) })
      ids.push(traffic.record({ task: taskOf(request), answer, head: 12 as Block }).id)
    }
  }
  for (const killAfter of [1, 2, 3]) await run(killAfter)
  await run(null)

  using ledger = openLedger({ file: join(folder, 'ledger.sqlite'), owner })
  const [plan] = ledger.plans(15 as Block)
  expect(plan).toMatchObject({ answers, dropped: 0 })
  const expected = drawn(plan?.share ?? 0)
  expect(ledger.audited(ids).size).toBe(expected)
  expect(expected).toBeGreaterThan(3)
  expect(ledger.openPass()).toBeNull()
  const receipts = readdirSync(join(folder, 'receipts'), { recursive: true }).filter((name) =>
    String(name).endsWith('.json'),
  )
  expect(receipts).toHaveLength(expected)
  using traffic = openTraffic({ file: join(folder, 'traffic.sqlite'), owner, spec })
  expect(traffic.oldest()).toBeNull()
}, 60_000)
