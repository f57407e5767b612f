import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

/** Writes structured events; one JSON object a line. */
export type Logger = PinoLogger

/** Levels from the most to the least talkative. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Names that hold secrets anywhere in our data; a task's public seed is logged as `taskSeed`. */
const SECRET_KEYS = [
  'mnemonic',
  'password',
  'passphrase',
  'phrase',
  'privateKey',
  'secret',
  'secretKey',
  'secretPhrase',
  'secretSeed',
  'seed',
  'suri',
  'token',
  'authorization',
]
/** pino redacts by path, and `*` stands for one level: four levels are more than our events have. */
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`])

/**
 * Creates a logger whose lines carry `name` and replace values of secret-looking keys.
 * @param of.destination stderr when absent, so that stdout stays free for results
 */
export const createLogger = (of: {
  readonly name: string
  readonly level: LogLevel
  readonly destination?: DestinationStream
}): Logger =>
  pino(
    {
      name: of.name,
      level: of.level,
      base: null,
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
      mixin: () => ({ name: of.name }),
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    of.destination ?? pino.destination({ fd: 2, sync: true }),
  )
