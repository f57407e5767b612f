import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { PasswordSource } from './password.ts'

/** Makes the source that asks the person at the terminal; null when none is there. */
export const passwordPrompt = ({ stdin, stderr }: CommandContext): PasswordSource | null => {
  if (stdin?.isTTY !== true) return null
  return {
    name: 'the password typed',
    isTyped: true,
    ask: async ({ question, signal }) => {
      // In raw mode the terminal echoes nothing, and what readline would echo goes nowhere; so it is set before anyone types.
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
      const terminal = createInterface({ input: stdin, output: silent, terminal: true, historySize: 0 })
      stderr.write(`${question}: `)
      const gone = new AbortController()
      terminal.once('SIGINT', () => gone.abort(ended())).once('close', () => gone.abort(ended()))
      try {
        const typed = await terminal.question('', { signal: AbortSignal.any([signal, gone.signal]) })
        return Buffer.from(typed, 'utf8')
      } catch (error) {
        signal.throwIfAborted()
        throw gone.signal.aborted ? gone.signal.reason : error
      } finally {
        terminal.close()
        stderr.write('\n')
      }
    },
  }
}

const ended = (): SubnetError =>
  new SubnetError({ code: 'WALLET_PROMPT_ENDED', message: 'no password was typed; run the command again' })
