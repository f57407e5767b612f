import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger, type LogLevel } from '@arbor/shared/log'
import { supervise } from '@arbor/shared/supervise'
import type { Blocks, Ms } from '@arbor/shared/units'
import type { Json } from './embedded/merge-patch.ts'
import type { ProductionMode } from './embedded/production.ts'
import { readableLog } from './readable-log.ts'
import type { ChainIdentity } from './rpc/method.ts'
import { mustBeFree } from './rpc/server.ts'
import { startChainService } from './service.ts'

/** Flags of `arbor chain run`. */
export interface RunOptions {
  readonly preset?: string
  readonly patch?: string
  readonly runtime?: string
  readonly data?: string
  readonly host: string
  readonly port: number
  readonly allowOrigin: readonly string[]
  readonly blockTime: Ms
  readonly instant?: boolean
  readonly manual?: boolean
  readonly finalityLag: number
  readonly keep: number | 'archive'
  readonly logLevel: LogLevel
  readonly json?: boolean
  /** Signs the rounds of the development preset's beacon in this process. */
  readonly beacon?: boolean
}

const DEVELOPMENT = 'development'

/** Runs the chain until the context's signal aborts, then stops it cleanly. */
export const runChain = async (context: CommandContext, options: RunOptions): Promise<void> => {
  const { stderr, cwd, signal } = context
  const log = createLogger({
    name: 'chain',
    level: options.logLevel,
    destination: options.json ? { write: (line) => void stderr.write(line) } : readableLog(stderr),
  })
  const preset = options.preset ?? DEVELOPMENT
  const data = options.data === undefined ? undefined : resolve(cwd, options.data)
  const wasm = readRuntime(options.runtime === undefined ? BLOB : resolve(cwd, options.runtime))
  await mustBeFree(options)
  const service = await startChainService({
    wasm,
    preset,
    ...(options.patch === undefined ? {} : { patch: readPatch(resolve(cwd, options.patch)) }),
    ...(data === undefined ? {} : { data }),
    keep: options.keep,
    mode: modeOf(options),
    finalityLag: options.manual ? null : (options.finalityLag as Blocks),
    identity: identityOf(preset),
    host: options.host,
    port: options.port,
    origins: options.allowOrigin,
    clock: systemClock,
    log,
  })
  const { url, chain } = service
  try {
    const best = chain.best().header.number
    log.info({ event: 'chain.ready', url, genesis: chain.genesisHash, preset, best, data: data ?? 'in memory' })
    if (options.beacon) {
      // Its client is loaded for those who ask for it alone.
      const { developmentBeacon } = await import('./beacon/in-process.ts')
      const beacon = developmentBeacon({ url, clock: systemClock, log })
      await supervise({ loops: { chain: service.run, beacon }, signal, clock: systemClock })
    } else await service.run(signal)
  } finally {
    await service.close()
    log.info({ event: 'chain.stopped' })
  }
}

/** The runtime that comes with Arbor. */
const BLOB = new URL('../artifacts/arbor_runtime.wasm', import.meta.url)

const readRuntime = (file: string | URL): Uint8Array => {
  try {
    return new Uint8Array(readFileSync(file))
  } catch (cause) {
    throw new SubnetError({
      code: 'CHAIN_NO_RUNTIME_FILE',
      message: `Cannot read the runtime blob ${file}: ${reasonOf(cause)}; build it with chain/build-runtime.sh or name one with --runtime`,
      cause,
    })
  }
}

const readPatch = (file: string): Json => {
  const fail = (why: string, cause?: unknown): SubnetError =>
    new SubnetError({
      code: 'CHAIN_PATCH_INVALID',
      message: `The genesis patch ${file} ${why}; write one JSON object that --patch can read`,
      cause,
    })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw fail(`cannot be read: ${reasonOf(cause)}`, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('holds no JSON object')
  return value as Json
}

const identityOf = (preset: string): ChainIdentity => {
  const words = preset.split(/[_-]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return { name: `Arbor ${words.join(' ')}`, type: preset === DEVELOPMENT ? 'Development' : 'Local', version }
}

const modeOf = ({ instant, manual, blockTime }: RunOptions): ProductionMode => {
  if (manual) return { kind: 'manual' }
  return instant ? { kind: 'instant' } : { kind: 'interval', blockTimeMs: blockTime }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
