import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import { type CompatReport, checkCompat } from './client/compat.ts'
import { reportText } from './client/compat-text.ts'
import { connectChain } from './client/connect.ts'
import { type Feature, features } from './client/needs/features.ts'
import { readRuntime } from './client/read-runtime.ts'

/** Flags of `arbor chain compat`. */
export interface CompatOptions {
  readonly metadata?: string
  readonly url?: string
  readonly json?: boolean
  readonly all?: boolean
}

/**
 * Prints what of Arbor works with a chain's code.
 * @throws CHAIN_INCOMPATIBLE when something is missing that a miner or a validator needs
 */
export async function showCompat(context: CommandContext, options: CompatOptions): Promise<void> {
  const report = await reportOf(context, options)
  context.stdout.write(
    options.json ? `${JSON.stringify(report)}\n` : `${reportText(report, { all: options.all === true })}\n`,
  )
  if (report.ok) return
  const lost = report.broken.filter((feature: Feature) => features[feature].forMinerAndValidator)
  throw new SubnetError({
    code: 'CHAIN_INCOMPATIBLE',
    message: `spec version ${report.specVersion} of ${report.specName} lacks what a miner or a validator needs for ${lost.map((feature) => features[feature].title).join(', ')}; the report above names it`,
    details: { specVersion: report.specVersion, broken: lost.join(' ') },
  })
}

async function reportOf(context: CommandContext, { metadata, url }: CompatOptions): Promise<CompatReport> {
  if (metadata !== undefined) return checkCompat(readRuntime(readMetadata(resolve(context.cwd, metadata)), null))
  const chain = await connectChain({ url: url ?? '', signal: context.signal, clock: systemClock })
  try {
    return chain.compat()
  } finally {
    await chain.close()
  }
}

/** Real metadata has at most 2 MB; more is some other file. */
const MAX_BYTES = 16 * 1024 * 1024

/** Reads a file of SCALE bytes, or of their hexadecimal text as RPC answers have it, in quotes or not. */
const readMetadata = (file: string): Uint8Array => {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw unreadable(file, cause instanceof Error ? cause.message : String(cause), cause)
  }
  if (bytes.length === 0) throw unreadable(file, 'it is empty')
  if (bytes.length > MAX_BYTES) throw unreadable(file, `it has ${bytes.length} bytes, metadata at most ${MAX_BYTES}`)
  const start = bytes.subarray(0, 16).toString('latin1').trimStart()
  if (!/^"?0x[0-9a-f]/i.test(start)) return new Uint8Array(bytes)
  const hex = bytes.toString('latin1').trim().replace(/^"|"$/g, '')
  try {
    return fromHex(hex)
  } catch (cause) {
    throw unreadable(file, 'it begins as hexadecimal and is none to its end', cause)
  }
}

const unreadable = (file: string, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_METADATA',
    message: `${file} holds no metadata that can be read: ${why}; save what state_getMetadata answers, as bytes or hex`,
    cause,
  })
