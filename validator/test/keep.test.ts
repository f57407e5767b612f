import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import { type Host, type RunnableCommand, runCommand } from '@arbor/shared/run-command'
import { supervise } from '@arbor/shared/supervise'
import type { Ms } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { createKeep, type KeptLoop } from '../src/keep.ts'

const FOREVER = 100 * 60_000

/** Runs a process of two loops, one of which always succeeds, until it ends. @returns how it ended */
const processOf = async (step: KeptLoop<void>['step']) => {
  const clock = createManualClock()
  const lines: string[] = []
  const log = createLogger({ name: 'test', level: 'warn', destination: { write: (line) => void lines.push(line) } })
  const keep = createKeep({ clock, log })
  const next = (signal: AbortSignal) => clock.sleep(1_000 as Ms, signal)
  const loop = (name: string, of: KeptLoop<void>['step']) => (signal: AbortSignal) =>
    keep({ name, next, step: of, timeoutMs: 10_000 }, signal)
  const exits: number[] = []
  const err: string[] = []
  const host: Host = {
    argv: [],
    env: {},
    stdout: { write: () => undefined },
    stderr: { write: (text) => void err.push(text) },
    cwd: () => '/',
    on: () => undefined,
    exit: (code) => exits.push(code),
  }
  const command = (signal: AbortSignal): RunnableCommand => ({
    commands: [],
    exitOverride: () => undefined,
    configureOutput: () => undefined,
    parseAsync: () =>
      supervise({
        loops: { broken: loop('broken', step), sound: loop('sound', async () => undefined) },
        signal,
        clock,
      }),
  })
  const running = runCommand(({ signal }) => command(signal), host)
  for (let passed = 0; passed < FOREVER && exits.length === 0; passed += 10_000) await clock.advance(10_000)
  if (exits.length > 0) await running
  const failures = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { exits, err: err.join(''), failures, afterMs: clock.monotonic() }
}

describe("a validator's process", () => {
  test('ends with the last failure of a loop that never succeeds, and with the exit code of a new start (C-02)', async () => {
    const { exits, err, failures, afterMs } = await processOf(() => Promise.reject(new Error('the model is gone')))
    expect(exits).toEqual([75])
    expect(err).toMatch(/^SUPERVISE_BUDGET_SPENT: "broken" failed 21 times .*the model is gone\n$/)
    expect(failures.length).toBe(21)
    expect(failures[0]).toMatchObject({ event: 'loop.failed', loop: 'broken', code: 'INTERNAL', pauseMs: 1_000 })
    expect(failures.at(-1)).toMatchObject({ pauseMs: 60_000 })
    expect(afterMs).toBeLessThan(1_800_000)
  })

  test('does not outlive a loop whose error no repetition mends, and names it', async () => {
    const { exits, err } = await processOf(async () => {
      throw new SubnetError({ code: 'VALIDATOR_DEREGISTERED', message: 'the hotkey has gone' })
    })
    expect([exits, err]).toEqual([[1], 'VALIDATOR_DEREGISTERED: the hotkey has gone\n'])
  })

  test('lives on with a loop that fails now and then (C-02)', async () => {
    let steps = 0
    const { exits, failures } = await processOf(async () => {
      steps += 1
      if (steps % 200 === 0) throw new Error('a hiccup')
    })
    expect(exits).toEqual([])
    expect(failures.length).toBeGreaterThan(20)
  })
})
