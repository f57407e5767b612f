import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { integerArgument } from '@arbor/chain/options'
import type { CommandContext, CommandInput } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command, InvalidArgumentError } from 'commander'
import { type GatewayAccess, nextTurn, servedModel, type Turn } from './client.ts'
import { showable } from './showable.ts'

interface Options {
  readonly gateway: string
  readonly keyFile?: string
  readonly system?: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly verbose?: boolean
}

/** Turns that are remembered; what is older is dropped, so that a long talk does not outgrow the model's context at once. */
const MOST_TURNS = 40

/** Makes `arbor chat`: one answer to the text that is given, or a conversation line by line. */
export const chatCommand = (context: CommandContext): Command =>
  new Command('chat')
    .description('talk to a gateway in the terminal')
    .argument('[text...]', 'what to say; without it, a conversation line by line')
    .option('--gateway <url>', 'where the gateway is', urlArgument, 'http://127.0.0.1:8080')
    .option('--key-file <file>', 'a file that holds the key and nothing else')
    .option('--system <text>', 'how the model should behave')
    .option('--max-tokens <n>', 'longest answer', integerArgument(1, 1_000_000))
    .option('--temperature <t>', 'how freely to choose words; 0 always takes the likeliest', temperatureArgument)
    .option('--verbose', 'say who answered, on stderr')
    .action((words: readonly string[], options: Options) => chat(context, words.join(' '), options))

const chat = async (context: CommandContext, text: string, options: Options): Promise<void> => {
  const { signal, stdin } = context
  const access: GatewayAccess = { url: options.gateway, key: readKey(context, options.keyFile) }
  try {
    const model = await servedModel(access, signal)
    const system: readonly Turn[] = options.system === undefined ? [] : [{ role: 'system', content: options.system }]
    const say = speaker({ context, access, model, system, options })
    if (text !== '') await say([{ role: 'user', content: text }], signal)
    else await converse({ context, stdin, model, say })
  } catch (error) {
    if (!signal.aborted) throw error
    context.stdout.write('\n')
  }
}

/** Says something to the model, with what was said before. @returns the answer */
type Say = (turns: readonly Turn[], signal: AbortSignal) => Promise<string>

const speaker =
  (of: {
    readonly context: CommandContext
    readonly access: GatewayAccess
    readonly model: string
    readonly system: readonly Turn[]
    readonly options: Options
  }): Say =>
  async (turns, signal) => {
    const { context, access, model, system, options } = of
    const { maxTokens, temperature } = options
    const end = await nextTurn(
      access,
      { model, turns: [...system, ...turns], wish: { maxTokens, temperature } },
      { signal, onText: (piece) => void context.stdout.write(showable(piece)) },
    )
    context.stdout.write('\n')
    if (options.verbose === true)
      context.stderr.write(`(${end.miner ?? 'an unnamed miner'}, receipt ${end.receipt ?? 'none'})\n`)
    return end.text
  }

/** Reads lines until the input ends. An answer that fails is told, and the conversation goes on without it. */
const converse = async (of: {
  readonly context: CommandContext
  readonly stdin: CommandInput | undefined
  readonly model: string
  readonly say: Say
}): Promise<void> => {
  const { context, stdin, model, say } = of
  const { signal, stdout, stderr } = context
  if (stdin === undefined) throw noInput
  const isPerson = stdin.isTTY === true
  if (isPerson) stderr.write(`Talking to ${model}. An empty line is skipped; Ctrl-D or Ctrl-C ends.\n`)
  const lines = createInterface({ input: stdin, signal })
  let turns: readonly Turn[] = []
  const prompt = (): void => void (isPerson && stdout.write('> '))
  prompt()
  for await (const line of lines) {
    if (line.trim() !== '') {
      const asked: readonly Turn[] = [...turns, { role: 'user', content: line }]
      try {
        const answer = await say(asked, signal)
        turns = [...asked, { role: 'assistant', content: answer } as const].slice(-MOST_TURNS)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof SubnetError)) throw error
        stderr.write(`\n${showable(error.message)}\n`)
      }
    }
    prompt()
  }
}

const noInput = new SubnetError({
  code: 'CHAT_NO_INPUT',
  message: 'there is no input to read lines from; say what to ask: arbor chat "TEXT"',
})

/** Reads the key; it is on no command line, where other users of the machine would see it. */
const readKey = ({ cwd }: CommandContext, file: string | undefined): string | null => {
  if (file === undefined) return null
  let key: string
  try {
    key = readFileSync(resolve(cwd, file), 'utf8').trim()
  } catch (cause) {
    throw new SubnetError({
      code: 'CHAT_KEY',
      message: `the key file ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}; name another with --key-file`,
      cause,
    })
  }
  if (/^[\x21-\x7e]{1,512}$/.test(key)) return key
  throw new SubnetError({
    code: 'CHAT_KEY',
    message: `the key file ${file} holds no key; one line with the key is due`,
  })
}

const urlArgument = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '')
    throw new InvalidArgumentError(`"${text}" is no http:// or https:// address`)
  return text
}

const temperatureArgument = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError(`"${text}" is no number from 0`)
  return value
}
