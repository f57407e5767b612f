import type { CommandContext, CommandInput, CommandOutput } from './command.ts'
import { SubnetError } from './errors.ts'
import { printable } from './printable.ts'

/** The part of commander's Command that running one needs. */
export interface RunnableCommand {
  readonly commands: readonly RunnableCommand[]
  exitOverride(): unknown
  configureOutput(output: {
    writeOut(text: string): void
    writeErr(text: string): void
    outputError(text: string): void
  }): unknown
  parseAsync(argv: readonly string[]): Promise<unknown>
}

/** The part of Node's process that running a command needs; only an entry point has it to give. */
export interface Host {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  readonly stdin?: CommandInput
  cwd(): string
  /** `disconnect` comes when the process was started with a channel to a parent that has gone. */
  on(event: 'SIGINT' | 'SIGTERM' | 'disconnect', listener: () => void): unknown
  exit(code: number): void
}

/**
 * Exit codes: 1 a stated reason, 2 wrong usage, 70 a fault of ours (EX_SOFTWARE), 75 a part of a running process gave up, and a new start
 * helps (EX_TEMPFAIL), 130 killed by a second signal.
 */
const EXIT = { ok: 0, reason: 1, usage: 2, internal: 70, again: 75, killed: 130 } as const

/**
 * Runs a command to its end and exits: SIGINT, SIGTERM and the parent's end abort the context's signal, the second one exits at once.
 * @param factory makes the commander command from its context
 */
export const runCommand = async (factory: (context: CommandContext) => RunnableCommand, host: Host): Promise<void> => {
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) host.exit(EXIT.killed)
    stop.abort(stopped('Stopped by a signal'))
  }
  host.on('SIGINT', onSignal)
  host.on('SIGTERM', onSignal)
  host.on('disconnect', () => stop.abort(stopped('The parent process has gone')))
  const context: CommandContext = {
    signal: stop.signal,
    env: host.env,
    stdout: host.stdout,
    stderr: host.stderr,
    get stdin() {
      return host.stdin // opened by who reads it, and not by every command
    },
    cwd: host.cwd(),
    homedir: host.env.HOME ?? host.cwd(),
  }
  const command = factory(context)
  prepare(command, host)
  try {
    await command.parseAsync(host.argv)
    host.exit(EXIT.ok)
  } catch (error) {
    host.exit(report(error, { stopped: stop.signal, host }))
  }
}

/** Makes every level throw instead of exit and write where the host says. */
const prepare = (command: RunnableCommand, host: Host): void => {
  command.exitOverride()
  command.configureOutput({
    writeOut: (text) => void host.stdout.write(text),
    writeErr: (text) => void host.stderr.write(text),
    outputError: (text) => void host.stderr.write(`${oneLine(text.trim())}; see --help\n`),
  })
  for (const child of command.commands) prepare(child, host)
}

/** Says why a command ended. @returns its exit code */
const report = (error: unknown, of: { readonly stopped: AbortSignal; readonly host: Host }): number => {
  const usage = usageExit(error)
  if (usage !== null) return usage // commander has written its own line
  if (of.stopped.aborted && error === of.stopped.reason) return EXIT.ok
  const verbose = Boolean(of.host.env.ARBOR_DEBUG) || of.host.argv.includes('--verbose')
  const stack = verbose && error instanceof Error ? `${error.stack}\n` : ''
  if (error instanceof SubnetError) {
    of.host.stderr.write(`${error.code}: ${oneLine(error.message)}\n${stack}`)
    return AGAIN.has(error.code) ? EXIT.again : EXIT.reason
  }
  const what = error instanceof Error ? error.message : String(error)
  of.host.stderr.write(`INTERNAL: ${oneLine(what)}; set ARBOR_DEBUG=1 for the stack and report it\n${stack}`)
  return EXIT.internal
}

/** A process whose loop ended, though nobody asked it to. */
const AGAIN = new Set(['SUPERVISE_BUDGET_SPENT', 'SUPERVISE_LOOP_ENDED', 'SUPERVISE_STUCK'])

/** Commander ends help and version with exit code 0 and wrong usage with 1. */
const usageExit = (error: unknown): number | null => {
  if (!(error instanceof Error) || !('code' in error) || !('exitCode' in error)) return null
  if (typeof error.code !== 'string' || !error.code.startsWith('commander.')) return null
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage
}

const stopped = (message: string): SubnetError => new SubnetError({ code: 'COMMAND_STOPPED', message })

const oneLine = (text: string): string => printable(text.replaceAll(/\s*\n\s*/g, ' '))
