import { resolve } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { createAsk, field } from './ask.ts'
import { inspectFolder } from './embedded/inspect.ts'

/** Flags of `arbor chain status`. */
export interface StatusOptions {
  readonly url: string
  readonly data?: string
  readonly verify?: boolean
  readonly json?: boolean
}

/**
 * Prints where a chain stands: a running one by its URL, or one that does not run by its folder.
 * @throws CHAIN_STATUS when it does not answer, CHAIN_FOLDER_IN_USE, CHAIN_DATA_CORRUPT
 */
export const showStatus = async ({ signal, stdout, cwd }: CommandContext, options: StatusOptions): Promise<void> => {
  const status =
    options.data === undefined
      ? await statusOf(options.url, signal)
      : await inspectFolder(resolve(cwd, options.data), { verify: options.verify ?? false })
  if (options.json) return void stdout.write(`${JSON.stringify(status)}\n`)
  const entries = Object.entries(status).filter(([, value]) => value !== null)
  const width = Math.max(...entries.map(([name]) => name.length))
  stdout.write(entries.map(([name, value]) => `${name.padEnd(width)} ${asText(value)}\n`).join(''))
}

/** Writes what the full check counted as "12 keys, 20 nodes". */
const asText = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')
    : String(value)

const statusOf = async (url: string, signal: AbortSignal): Promise<object> => {
  const ask = createAsk(url, signal)
  const [chain, finalizedHash, genesis, best, version] = await Promise.all([
    ask('system_chain'),
    ask('chain_getFinalizedHead'),
    ask('chain_getBlockHash', [0]),
    ask('chain_getHeader'),
    ask('state_getRuntimeVersion'),
  ])
  const finalized = await ask('chain_getHeader', [finalizedHash])
  return {
    chain,
    best: Number(field(best, 'number')),
    finalized: Number(field(finalized, 'number')),
    genesis,
    specName: field(version, 'specName'),
    specVersion: field(version, 'specVersion'),
  }
}
