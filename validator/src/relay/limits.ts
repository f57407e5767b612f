/** Bounds of a relay, whoever calls. */
export interface RelayLimits {
  /** Sockets of all kinds together. */
  readonly sockets: number
  /** Sockets of one address. */
  readonly socketsPerAddress: number
  /** Miners connected at once. */
  readonly miners: number
  /** Sockets that were upgraded and have not proved a hotkey yet; and those of one address. */
  readonly unproven: number
  readonly unprovenPerAddress: number
  /** How long a dialler may take to prove its hotkey. */
  readonly helloMs: number
  /** Certificates of one address that may be checked: so many at once, and so many more a second. */
  readonly proofsBurst: number
  readonly proofsPerSecond: number
  /** Questions in flight: of all, to one miner, from one address. */
  readonly inFlight: number
  readonly inFlightPerMiner: number
  readonly inFlightPerAddress: number
  /** Largest question. */
  readonly bodyBytes: number
  /** Bytes of questions of all askers that are on their way to miners. */
  readonly totalBodyBytes: number
  /** Unsent bytes of one miner's socket above which it gets no further question. */
  readonly unsentBytes: number
  /** Largest answer. */
  readonly answerBytes: number
  /** Bytes of one answer that wait for its asker; the miner sends no more before some have left. */
  readonly windowBytes: number
  /** How long an asker may take no byte of what waits for it. */
  readonly slowMs: number
  /** Longest deadline of a question, and what is added to it for the way. */
  readonly timeoutMs: number
  readonly graceMs: number
  /** Between two pings of a miner; no pong until the next one counts as gone. */
  readonly pingMs: number
  /** Pings of its own that a miner may send between two of ours. */
  readonly pingsOfMiner: number
  /** How long a socket gets to take its goodbye. */
  readonly closeMs: number
  /** Between two looks at what has run out. */
  readonly sweepMs: number
  /** Probes at once, and of one address and one hotkey in a minute. */
  readonly probes: number
  readonly probesPerMinute: number
  readonly probeMs: number
}

const KIB = 1024
const MIB = 1024 * KIB

/** A subnet has at most 4 096 neurons; 1 024 answers × 256 KiB waiting = 256 MiB, as much as questions may take. */
export const defaultRelayLimits: RelayLimits = {
  sockets: 8_192,
  socketsPerAddress: 1_024,
  miners: 4_096,
  unproven: 512,
  unprovenPerAddress: 64,
  helloMs: 5_000,
  proofsBurst: 64,
  proofsPerSecond: 4,
  inFlight: 1_024,
  inFlightPerMiner: 64,
  inFlightPerAddress: 512,
  bodyBytes: 8 * MIB,
  totalBodyBytes: 256 * MIB,
  unsentBytes: 16 * MIB,
  answerBytes: 64 * MIB,
  windowBytes: 256 * KIB,
  slowMs: 10_000,
  timeoutMs: 60_000,
  graceMs: 5_000,
  pingMs: 15_000,
  pingsOfMiner: 16,
  closeMs: 1_000,
  sweepMs: 500,
  probes: 8,
  probesPerMinute: 6,
  probeMs: 4_000,
}
