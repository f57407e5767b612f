/** Version of the protocol; another scheme of keys, proofs or seals takes the next one. */
export const PROTOCOL_VERSION = 2
/** How far two honest clocks may differ; NTP keeps machines within a tenth of a second, laptops within seconds. */
export const ALLOWED_SKEW_MS = 5_000
/** Longest time a request may ask a miner to work. */
export const MAX_TIMEOUT_MS = 60_000
/** Longest life of a session. */
export const MAX_LIFETIME_MS = 86_400_000 // 24 h
/** Life of a session when nothing else is asked for; it is renewed at half of it. */
export const DEFAULT_LIFETIME_MS = 3_600_000 // 1 h
/** Longest header value of ours; a certificate takes about 400 characters. */
export const MAX_HEADER_LENGTH = 1_024
/** What a seal adds to a body. */
export const SEAL_BYTES = 16
/** Bytes of a session's id: the beginning of its payload's SHA-256. */
export const SESSION_ID_BYTES = 16

/** Headers of the protocol; any other that begins with `arbor-` is refused. */
export const ENVELOPE_HEADER = 'arbor-envelope'
export const CERTIFICATE_HEADER = 'arbor-certificate'

export const JSON_TYPE = 'application/json'
export const SEALED_TYPE = 'application/arbor-sealed'
export const STREAM_TYPE = 'application/arbor-stream'
