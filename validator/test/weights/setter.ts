import type { WeightRow } from '@arbor/chain/client/types'
import type { Keypair } from '@arbor/shared/keypair'
import { createLogger } from '@arbor/shared/log'
import { type Ledger, openLedger } from '../../src/ledger.ts'
import type { WeightDeps } from '../../src/weights/deps.ts'
import { newMemory, weighOnce } from '../../src/weights/pass.ts'
import type { WeightOutcome } from '../../src/weights/report.ts'
import { type Net, netuid, validator } from './net.ts'

/** A validator's weight loop on a net, without the loop: a test makes each pass. */
export type Setter = ReturnType<typeof startSetter>

/** Lines that a logger wrote. */
interface Lines {
  readonly lines: Record<string, unknown>[]
  readonly log: WeightDeps['log']
}

const logging = (): Lines => {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (text: string) => void lines.push(JSON.parse(text)) }
  return { lines, log: createLogger({ name: 'test', level: 'debug', destination: destination as never }) }
}

/** Seeded bytes: a failure shows again, and nobody attacks a test. */
export const seededBytes = (seed: number): ((length: number) => Uint8Array) => {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
}

/** Starts a process, as far as weights go; a second one on the same ledger is what follows a kill. */
export function startSetter(
  net: Net,
  of: {
    readonly ledger?: Ledger
    readonly file?: string
    readonly hotkey?: Keypair
    readonly mechanism?: number
    readonly seed?: number
  } = {},
) {
  const hotkey = of.hotkey ?? validator
  const ledger =
    of.ledger ??
    openLedger({
      ...(of.file === undefined ? {} : { file: of.file }),
      owner: { genesisHash: net.chain.genesisHash, netuid, hotkey: hotkey.address },
    })
  const { lines, log } = logging()
  const memory = newMemory()
  const stop = new AbortController()
  let due: WeightRow | null = null
  const deps: WeightDeps = {
    chain: net.client,
    ledger,
    hotkey,
    netuid,
    mechanism: of.mechanism ?? 0,
    version: 1n,
    source: () => (due === null ? null : { row: due, departed: [] }),
    random: seededBytes(of.seed ?? 7),
    clock: net.clock,
    log,
  }
  /** One pass on the newest final block; blocks are made as it needs them. */
  const pass = async (): Promise<readonly WeightOutcome[]> => {
    const snapshot = await net.snapshot(hotkey.address)
    return net.drive(weighOnce(deps, snapshot, memory, stop.signal))
  }
  /** Passes, a block after each, until one brings an outcome of a kind. */
  const until = async (kind: WeightOutcome['kind'], most = 60): Promise<WeightOutcome> => {
    for (let made = 0; made < most; made += 1) {
      const found = (await pass()).find((outcome) => outcome.kind === kind)
      if (found !== undefined) return found
      await net.blocks(1)
    }
    throw new Error(`no ${kind} within ${most} passes: ${JSON.stringify(lines.slice(-5))}`)
  }
  const states = (id?: number): string[] => {
    const attempt = id ?? ledger.lastAttempt(deps.mechanism)?.id ?? 0
    return ledger.attemptMoves(attempt).map(({ state }) => state)
  }
  return {
    deps,
    ledger,
    lines,
    pass,
    until,
    states,
    stop: () => stop.abort(new Error('stopped')),
    set: (row: WeightRow | null): void => {
      due = row
    },
  }
}
