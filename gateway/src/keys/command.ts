import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { integerArgument } from '@arbor/chain/options'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command, InvalidArgumentError } from 'commander'
import { changeKeys, type KeyEntry, readKeys } from './file.ts'
import { makeKey } from './key.ts'

/** Where keys lie unless said otherwise. */
export const KEYS_FILE = join('.arbor', 'gateway-keys.json')
/** Enough for a program with a few threads, too little to take all seats. */
const CONCURRENT = 16

interface AddOptions {
  readonly keys: string
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly concurrent: number
}

/** Makes `arbor gateway key`: adds, lists and removes keys; a gateway that runs sees the change within two seconds. */
export const keyCommand = (context: CommandContext): Command =>
  new Command('key')
    .description('add, list and remove the keys that callers use')
    .addCommand(
      withKeys(new Command('add'))
        .description('make a key, which is shown once and kept as a hash')
        .argument('<name>', 'whose it is', nameArgument)
        .option('--requests-per-minute <n>', 'requests that it may make', integerArgument(1, 1_000_000))
        .option('--tokens-per-minute <n>', 'tokens of prompts and answers', integerArgument(1, 1_000_000_000))
        .option('--concurrent <n>', 'requests at once', integerArgument(1, 4_096), CONCURRENT)
        .action((name: string, options: AddOptions) => add(context, name, options)),
    )
    .addCommand(
      withKeys(new Command('list'))
        .description('list the keys, none of which can be shown again')
        .option('--json', 'print one JSON document on stdout and nothing else')
        .action(({ keys, json }: { keys: string; json?: boolean }) => {
          const entries = readKeys(resolve(context.cwd, keys)).map(({ hash: _, ...entry }) => entry)
          context.stdout.write(json ? `${JSON.stringify(entries)}\n` : entries.map(line).join(''))
        }),
    )
    .addCommand(
      withKeys(new Command('remove'))
        .description('remove a key; requests that it began are answered')
        .argument('<name>', 'whose it is')
        .action((name: string, { keys }: { keys: string }) => remove(context, name, resolve(context.cwd, keys))),
    )

const withKeys = (command: Command): Command => command.option('--keys <file>', 'where the keys lie', KEYS_FILE)

const add = ({ cwd, stdout, stderr }: CommandContext, name: string, options: AddOptions): void => {
  const file = resolve(cwd, options.keys)
  const { text, id, hash } = makeKey(randomBytes)
  const { requestsPerMinute, tokensPerMinute, concurrent } = options
  const entry: KeyEntry = {
    id,
    name,
    hash,
    createdAt: new Date(systemClock.now()).toISOString(),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    concurrent,
  }
  changeKeys(file, (keys) => {
    if (keys.some((key) => key.name === name)) throw taken(name, file)
    return [...keys, entry]
  })
  stderr.write(`The key of ${name}; it is kept as a hash and cannot be shown again:\n`)
  stdout.write(`${text}\n`)
}

const remove = ({ stdout }: CommandContext, name: string, file: string): void => {
  changeKeys(file, (keys) => {
    const rest = keys.filter((key) => key.name !== name)
    if (rest.length === keys.length) throw unknown(name, file)
    return rest
  })
  stdout.write(`removed the key of ${name}\n`)
}

const line = ({ name, id, createdAt, ...limits }: Omit<KeyEntry, 'hash'>): string => {
  const bounds = [
    limits.requestsPerMinute === undefined ? null : `${limits.requestsPerMinute} requests a minute`,
    limits.tokensPerMinute === undefined ? null : `${limits.tokensPerMinute} tokens a minute`,
    `${limits.concurrent} at once`,
  ]
  return `${name}  arbor-${id}-…  since ${createdAt.slice(0, 10)}, ${bounds.filter((bound) => bound !== null).join(', ')}\n`
}

const nameArgument = (text: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text))
    throw new InvalidArgumentError('a name has 1 to 64 letters, digits and . _ @ -')
  return text
}

const taken = (name: string, file: string): SubnetError =>
  new SubnetError({
    code: 'GATEWAY_KEY_TAKEN',
    message: `${name} has a key in ${file} already; remove it first, or name this one differently`,
    details: { name },
  })

const unknown = (name: string, file: string): SubnetError =>
  new SubnetError({
    code: 'GATEWAY_KEY_UNKNOWN',
    message: `${name} has no key in ${file}; arbor gateway key list shows who has`,
    details: { name },
  })
