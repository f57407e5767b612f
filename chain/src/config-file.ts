import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { parseConfig, parseConfigText } from '@arbor/shared/config'
import { SubnetError } from '@arbor/shared/errors'
import { type Command, InvalidArgumentError, type Option } from 'commander'
import { z } from 'zod'

/** Larger than any settings. */
const MAX_BYTES = 1_000_000

/**
 * Adds --config: a JSON file of settings with the names of the command's own flags, without the dashes. A flag wins over the environment,
 * which wins over the file. Call it after the last option was added.
 */
export const withConfig = (command: Command, { cwd }: CommandContext): Command => {
  const known = command.options.filter(({ long }) => long !== '--help' && long !== '--version')
  return command
    .option('--config <file>', 'settings as JSON, by the names of the flags; flags win over it')
    .hook('preAction', (_, action) => {
      const { config } = action.opts<{ readonly config?: string }>()
      if (action !== command || config === undefined) return
      const file = parseConfigText(readText(resolve(cwd, config)), config)
      const given = parseConfig({ schema: schemaOf(known), sources: { file } })
      for (const option of known) {
        const name = option.attributeName()
        const value = given[keyOf(option)]
        const source = command.getOptionValueSource(name)
        if (value !== undefined && source !== 'cli' && source !== 'env')
          command.setOptionValueWithSource(name, value, 'config')
      }
    })
}

/** Name of an option in the file: `--no-seal` is `"seal": false`. */
const keyOf = (option: Option): string => option.name().replace(/^no-/, option.negate ? '' : 'no-')

const schemaOf = (options: readonly Option[]) =>
  z.object(Object.fromEntries(options.map((option) => [keyOf(option), settingOf(option)])))

const settingOf = (option: Option) =>
  z
    .unknown()
    .transform((value, context) => {
      if (value === undefined) return undefined
      try {
        return read(option, value)
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error
        context.addIssue({ code: 'custom', message: error.message })
        return z.NEVER
      }
    })
    .optional()

/** Reads a value of the file by the rules of its flag. @throws InvalidArgumentError */
function read(option: Option, value: unknown): unknown {
  if (!option.required && !option.optional) {
    if (typeof value !== 'boolean') throw new InvalidArgumentError('true or false is due')
    return value
  }
  const values = Array.isArray(value) ? value : [value]
  const texts = values.map((each: unknown) => {
    if (typeof each === 'string' || typeof each === 'number') return String(each)
    throw new InvalidArgumentError('a text or a number is due')
  })
  if (option.parseArg === undefined && texts.length !== 1) throw new InvalidArgumentError('one value is due')
  return texts.reduce<unknown>(
    (before, text) => (option.parseArg === undefined ? text : option.parseArg(text, before)),
    option.defaultValue,
  )
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MAX_BYTES) throw new Error(`it has ${bytes.length} bytes`)
    return bytes.toString('utf8')
  } catch (cause) {
    throw new SubnetError({
      code: 'CONFIG_UNREADABLE',
      message: `the settings of --config ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}; name a JSON file`,
      cause,
    })
  }
}
