import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestChain } from '../../chain/test/support/embedded.ts'

/** Each start of a process costs a second or more on a busy machine. */
const TIMEOUT_MS = 120_000
const CHILD = fileURLToPath(new URL('support/chain-child.ts', import.meta.url))
let data = ''
const children: ChildProcess[] = []

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'arbor-kill-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

const startChild = () => {
  const child = spawn(process.execPath, [CHILD, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

type Said = Awaited<ReturnType<ReturnType<typeof startChild>['lines']['next']>>
const words = (said: Said): string[] => String(said.value ?? '').split(' ')

describe('chain process', () => {
  test(
    'chain loses no block that was announced when its process is killed, five times over',
    { timeout: TIMEOUT_MS },
    async () => {
      const announced = new Map<number, string>()
      // Odd counts, so that the kill comes at another point of the work each time.
      for (const blocks of [1, 4, 7, 12, 3]) {
        const { child, lines } = startChild()
        const [kind, number, hash] = words(await lines.next())
        expect(kind).toBe('open')
        const last = Math.max(0, ...announced.keys())
        expect(Number(number)).toBeGreaterThanOrEqual(last)
        if (Number(number) === last && last > 0) expect(hash).toBe(announced.get(last))
        for (let count = 0; count < blocks; count += 1) {
          const [, made, madeHash = ''] = words(await lines.next())
          announced.set(Number(made), madeHash)
        }
        child.kill('SIGKILL')
        await once(child, 'exit')
        for (let rest = await lines.next(); rest.done !== true; rest = await lines.next()) {
          const [kindOfRest, made, madeHash = ''] = words(rest)
          if (kindOfRest === 'block' && madeHash.length === 66) announced.set(Number(made), madeHash)
        }
      }
      const { chain } = await startTestChain({ data })
      for (const [number, hash] of announced) expect([number, chain.hashAt(number as never)]).toEqual([number, hash])
      for (let number = 1; number <= chain.best().header.number; number += 1) {
        const block = chain.block(chain.hashAt(number as never) ?? '0x')
        expect(block?.header.parentHash).toBe(chain.hashAt((number - 1) as never))
      }
      expect((await chain.produce()).header.number).toBe(chain.best().header.number)
      await chain.close()
    },
  )

  test(
    'second process is refused while the first one has the folder, and admitted after it was killed',
    { timeout: TIMEOUT_MS },
    async () => {
      const first = startChild()
      expect(words(await first.lines.next())[0]).toBe('open')
      const second = startChild()
      expect(words(await second.lines.next())).toEqual(['refused', 'CHAIN_FOLDER_IN_USE'])
      first.child.kill('SIGKILL')
      await once(first.child, 'exit')
      const third = startChild()
      expect(words(await third.lines.next())[0]).toBe('open')
    },
  )
})
