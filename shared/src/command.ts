/** What a command of the command line may touch; only main.ts makes one. */
export interface CommandContext {
  /** Aborted on SIGINT and SIGTERM: stop cleanly. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  /** What a person types, where one may; only questions without another way to answer are asked. */
  readonly stdin?: CommandInput | undefined
  /** The current folder, for relative paths. */
  readonly cwd: string
  readonly homedir: string
}

/** A stream of text to a person or a pipe. */
export interface CommandOutput {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** A stream of text from a person or a pipe. */
export interface CommandInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean
}
