import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { inspectFolder, withStore } from '../../chain/src/embedded/inspect.ts'
import { exportStore } from '../../chain/src/embedded/portable/export.ts'
import { importFolder } from '../../chain/src/embedded/portable/import.ts'
import { startTestChain } from '../../chain/test/support/embedded.ts'
import { createChainCommands, numberOf, rpc, stop } from './support/chain-command.ts'
import { smallDisk } from './support/small-disk.ts'

const TIMEOUT_MS = 240_000
const CHURN = fileURLToPath(new URL('support/chain-churn.ts', import.meta.url))
let folder = ''
const children: ChildProcess[] = []
const commands = createChainCommands()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-crash-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await commands.killAll()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the churn for a time after it is open, kills it, and tells which blocks it called final. */
const churn = async (data: string, ms: number) => {
  const child = spawn(process.execPath, [CHURN, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const final = new Map<number, string>()
  const opened = Promise.withResolvers<void>()
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    const [kind, number, hash = ''] = line.split(' ')
    if (kind === 'open') opened.resolve()
    if (kind === 'final' && hash.length === 66) final.set(Number(number), hash)
  })
  const ended = once(lines, 'close')
  await Promise.race([opened.promise, ended])
  await sleep(ms)
  child.kill('SIGKILL')
  await ended
  return final
}

/** Numbers that look random and are the same each time. */
const seeded = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

describe('killed chain', () => {
  test(
    'every final block is there and the whole state is right after each of ten kills or more; all kept blocks execute again',
    { timeout: TIMEOUT_MS },
    async () => {
      const data = join(folder, 'killed')
      const random = seeded(7)
      const announced = new Map<number, string>()
      // A slow machine gets more kills, so that enough blocks are made between them.
      for (let kill = 0; kill < 10 || announced.size <= 20; kill += 1) {
        for (const [number, hash] of await churn(data, 30 + random() * 400)) announced.set(number, hash)
        const { best, finalized, verified } = await inspectFolder(data, { verify: true })
        expect(finalized).toBeGreaterThanOrEqual(Math.max(0, ...announced.keys()))
        expect(best).toBeGreaterThanOrEqual(finalized)
        expect(verified?.keys).toBeGreaterThan(0)
        const held = await withStore(data, (store) => [...announced.keys()].map((number) => store.hashAt(number)))
        expect(held).toEqual([...announced.values()])
      }
      expect(announced.size).toBeGreaterThan(20)
      const file = join(folder, 'killed.export')
      const exported = await withStore(data, (store) => exportStore(store, file))
      await importFolder(file, join(folder, 'executed')) // executes each block as an importing node does
      expect(await inspectFolder(join(folder, 'executed'), { verify: true })).toMatchObject({
        head: exported.best.hash,
      })
    },
  )

  test(
    'chain stands at the newest whole block when the end of what was written is torn off',
    { timeout: TIMEOUT_MS },
    async () => {
      const data = join(folder, 'torn')
      const final = new Map<number, string>()
      /** Opens a copy whose log ends early. @returns its best block; what it holds as final must be what was announced */
      const torn = async (part: number): Promise<number> => {
        const copy = join(folder, `torn-${part}`)
        rmSync(copy, { recursive: true, force: true })
        cpSync(data, copy, { recursive: true })
        const log = join(copy, 'chain.sqlite-wal')
        truncateSync(log, Math.floor(statSync(log).size * part))
        const { best, finalized } = await inspectFolder(copy, { verify: true })
        // Above what was final then, the copy may hold a branch that was retracted later.
        const told = [...final].filter(([number]) => number <= finalized)
        const held = await withStore(copy, (store) => told.map(([number]) => store.hashAt(number)))
        expect(held).toEqual(told.map(([, hash]) => hash))
        const { chain } = await startTestChain({ data: copy, finality: 'manual' })
        expect((await chain.produce()).header.number).toBe(best + 1)
        await chain.close()
        return best
      }
      // Once in a while the process dies just when nothing is in the log alone: then it runs a little more.
      let [whole, cut] = [0, 0]
      for (let run = 0; run < 4 && whole === cut; run += 1) {
        for (const [number, hash] of await churn(data, 500)) final.set(number, hash)
        whole = await torn(1)
        cut = await torn(0)
      }
      expect(cut).toBeLessThan(whole)
      const random = seeded(11)
      for (const part of [0.999, random(), random() * 0.3, random() * 0.05]) {
        const best = await torn(part)
        expect([best >= cut, best <= whole]).toEqual([true, true])
      }
    },
  )
})

const { folder: disk, mounts, mount, unmount } = smallDisk({ name: 'disk', size: '16m' })

describe.skipIf(!mounts)('full disk (needs the right to mount a small one)', () => {
  beforeAll(mount)
  afterAll(unmount)

  test(
    'chain says so, answers on, loses nothing through a kill, and goes on when there is room',
    { timeout: TIMEOUT_MS },
    async () => {
      const data = join(disk, 'chain')
      const words = ['--dev', '--block-time', '50ms', '--data', data] as const
      const first = await commands.run(...words)
      while ((await numberOf(first.url)) < 5) await sleep(50)
      fill(join(disk, 'junk'))
      const failed = (lines: readonly string[]) => lines.filter((line) => line.includes('"chain.not_written"')).length
      while (failed(first.lines) === 0) await sleep(50)
      const stuck = await numberOf(first.url)
      const hash = await rpc(first.url, 'chain_getFinalizedHead')
      expect(await numberOf(first.url, hash)).toBe(stuck)
      expect(first.lines.find((line) => line.includes('"chain.not_written"'))).toContain('CHAIN_NOT_WRITTEN')

      const out = await commands.finish('status', '--url', first.url, '--json')
      expect(JSON.parse(out.out)).toMatchObject({ best: stuck })
      await stop(first, 'SIGKILL')

      const second = await commands.run(...words)
      expect(await rpc(second.url, 'chain_getBlockHash', stuck)).toBe(hash)
      while (failed(second.lines) === 0) await sleep(50)
      rmSync(join(disk, 'junk'))
      while ((await numberOf(second.url)) < stuck + 5) await sleep(50)
      expect(await rpc(second.url, 'chain_getBlockHash', stuck)).toBe(hash)
      expect(await stop(second)).toBe(0)
      expect((await inspectFolder(data, { verify: true })).best).toBeGreaterThanOrEqual(stuck + 5)

      fill(join(disk, 'junk'))
      const exported = await commands.finish('export', '--data', data, '--out', join(disk, 'chain.export'))
      expect([exported.code, exported.err]).toEqual([1, expect.stringMatching(/^CHAIN_FILE: .*\n$/)])
      const elsewhere = join(folder, 'from-disk.export')
      expect((await commands.finish('export', '--data', data, '--out', elsewhere)).code).toBe(0)
      const imported = await commands.finish('import', '--data', join(disk, 'other'), '--in', elsewhere)
      expect([imported.code, imported.err]).toEqual([1, expect.stringMatching(/^CHAIN_(NOT_WRITTEN|FOLDER): .*\n$/)])
      expect(existsSync(join(disk, 'other'))).toBe(false)
    },
  )
})

/** Takes all that is left of the disk. */
const fill = (path: string): void => {
  for (const bytes of [1_000_000, 4_096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' })
    } catch {
      // full
    }
  }
}
