import type { CommandContext } from '@arbor/shared/command'
import { createAsk, field } from './ask.ts'
import { type Inspected, inspectFolder } from './embedded/inspect.ts'

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
export const showStatus = async ({ signal, stdout }: CommandContext, options: StatusOptions): Promise<void> => {
  const status =
    options.data === undefined ? await statusOf(options.url, signal) : await folderStatus(options.data, options)
  const width = Math.max(...Object.keys(status).map((name) => name.length))
  const lines = Object.entries(status).map(([name, value]) => `${name.padEnd(width)} ${value}`)
  stdout.write(options.json ? `${JSON.stringify(status)}\n` : `${lines.join('\n')}\n`)
}

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

const folderStatus = async (data: string, { verify = false }: StatusOptions): Promise<object> => {
  const { verified, ...rest }: Inspected = await inspectFolder(data, { verify })
  return verified === null
    ? rest
    : { ...rest, verified: `${verified.keys} keys, ${verified.nodes} nodes, ${verified.blocks} blocks` }
}
