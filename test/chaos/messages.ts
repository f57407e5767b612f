/** What a validator process of the suite is started with. */
export interface ChildConfig {
  readonly url: string
  readonly hotkeyUri: string
  /** Data folder of the validator. */
  readonly data: string
  /** File that its log goes to, one JSON object a line. */
  readonly log: string
  /** File that the suite's own record of questions, writes and kills goes to. */
  readonly trace: string
  /** File that says what miners do. */
  readonly book: string
  /** Seconds of its clock in one of the machine's; and of its chain client's. */
  readonly speed: number
  readonly linkSpeed: number
  /** Milliseconds that its wall time is off by. */
  readonly offMs: number
  /** Whether whoever holds its hotkey is away. */
  readonly signerAway: boolean
  /** Writes at which it kills itself when it comes to one of them, each time with this probability, drawn from the seed. */
  readonly points: readonly string[]
  readonly chance: number
  readonly seed: number
  /** Epochs of which the log keeps its bodies. */
  readonly keepEpochs: number
  /** Rounds in an epoch, where not the spec's. */
  readonly roundsPerEpoch?: number
  /** `debug` writes every question down. */
  readonly logLevel: 'debug' | 'info'
  /** Lives that it had before, plus one. */
  readonly life: number
}

/** What the driver tells a validator process. */
export type ToChild = { readonly jumpMs: number } | { readonly signerAway: boolean }

/** What a validator process tells the driver: the block of its newest snapshot, and each step of a loop that is done. */
export type FromChild = { readonly at: number } | { readonly done: string }
