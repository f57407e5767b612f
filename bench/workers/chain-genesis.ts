/** Twelve seconds: Chopsticks asks for the slot without any state, and this is what the runtime answers then. */
export const GENESIS_PATCH = { blockTime: { slotDurationMs: 12_000 } }
