import type { CommandContext } from '@arbor/shared/command'
import { createAsk, field } from './ask.ts'

/** Flags of `arbor chain reorg`. */
export interface ReorgOptions {
  readonly url: string
  readonly depth: number
  readonly json?: boolean
}

/** Makes a running chain reorganise and prints what left and what came. @throws CHAIN_REORG_REFUSED, CHAIN_STATUS, CHAIN_RPC */
export const reorgChain = async (
  { signal, stdout }: CommandContext,
  { url, depth, json }: ReorgOptions,
): Promise<void> => {
  const change = await createAsk(url, signal)('arbor_reorg', [depth])
  if (json) return void stdout.write(`${JSON.stringify(change)}\n`)
  const list = (name: string): string =>
    (field(change, name) as readonly string[]).map((hash) => `  ${hash}\n`).join('')
  stdout.write(`retracted, newest first\n${list('retracted')}in their place, oldest first\n${list('enacted')}`)
}
