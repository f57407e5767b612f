import { decodeSs58, isSs58 } from '../ss58.ts'
import type { Ss58 } from '../units.ts'
import { readSignature } from './signature.ts'

/** What the headers of a request claim; nothing of it is proven. */
export interface AskerHeaders {
  /** Seconds; 12 when not said. */
  readonly timeoutS: number
  /** Nanoseconds of Unix time. */
  readonly nonce: bigint | null
  readonly version: number | null
  readonly uuid: string | null
  readonly hotkey: string | null
  readonly signature: string | null
  /** 64 lower-case hexadecimal characters. */
  readonly bodyHash: string
  readonly dendriteIp: string | null
  readonly axonIp: string | null
  readonly axonPort: number | null
  /** Names of the fields whose empty values came along, in lower case as headers have them. */
  readonly inputs: ReadonlySet<string>
}

export type AskerReading =
  | { readonly ok: true; readonly headers: AskerHeaders }
  | { readonly ok: false; readonly why: string }

const DEFAULT_TIMEOUT_S = 12
const INPUT = 'bt_header_input_obj_'
/** Headers that are read, beside the inputs; each may come once. */
const SHAPES = {
  timeout: /^\d{1,9}(?:\.\d{0,20})?(?:e[+-]?\d{1,2})?$/,
  header_size: /^\d{1,15}$/,
  total_size: /^\d{1,15}$/,
  computed_body_hash: /^[0-9a-f]{64}$/,
  bt_header_axon_ip: /^[0-9a-fA-F.:]{0,45}$/,
  bt_header_axon_port: /^\d{1,5}$/,
  bt_header_axon_hotkey: /^[\x20-\x7e]{0,64}$/,
  bt_header_dendrite_ip: /^[0-9a-fA-F.:]{0,45}$/,
  bt_header_dendrite_version: /^\d{1,15}$/,
  bt_header_dendrite_nonce: /^\d{1,20}$/,
  bt_header_dendrite_uuid: /^[0-9A-Za-z_-]{0,64}$/,
  bt_header_dendrite_hotkey: /^[\x20-\x7e]{0,64}$/,
  bt_header_dendrite_signature: /^[\x20-\x7e]{0,256}$/,
} as const
type Name = keyof typeof SHAPES

/**
 * Reads Bittensor's headers, whatever the case of their names. A repeated one is refused, and one that cannot be what it is to be.
 * @param rawHeaders names and values in turn, as they came
 */
export const readAskerHeaders = (rawHeaders: readonly string[]): AskerReading => {
  const read = new Map<Name, string>()
  const inputs = new Set<string>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (name.startsWith(INPUT)) inputs.add(name.slice(INPUT.length))
    if (!isName(name)) continue
    if (read.has(name)) return { ok: false, why: `${name} is there twice` }
    if (!SHAPES[name].test(value)) return { ok: false, why: `${name} is malformed` }
    read.set(name, value)
  }
  const bodyHash = read.get('computed_body_hash')
  if (bodyHash === undefined) return { ok: false, why: 'computed_body_hash is missing' }
  const timeoutS = Number(read.get('timeout') ?? DEFAULT_TIMEOUT_S)
  if (!(timeoutS > 0)) return { ok: false, why: 'timeout is not above 0' }
  const text = (name: Name): string | null => read.get(name) || null
  const number = (name: Name): number | null => (text(name) === null ? null : Number(text(name)))
  const nonce = text('bt_header_dendrite_nonce')
  return {
    ok: true,
    headers: {
      timeoutS,
      nonce: nonce === null ? null : BigInt(nonce),
      version: number('bt_header_dendrite_version'),
      uuid: text('bt_header_dendrite_uuid'),
      hotkey: text('bt_header_dendrite_hotkey'),
      signature: text('bt_header_dendrite_signature'),
      bodyHash,
      dendriteIp: text('bt_header_dendrite_ip'),
      axonIp: text('bt_header_axon_ip'),
      axonPort: number('bt_header_axon_port'),
      inputs,
    },
  }
}

const isName = (name: string): name is Name => Object.hasOwn(SHAPES, name)

/** Who a request says it is from, in the form that its signature needs. */
export interface Claim {
  readonly hotkey: Ss58
  readonly publicKey: Uint8Array
  readonly nonce: bigint
}

/** Finds who asks, by the headers; the refusal's text is Python's. */
export const readClaim = ({
  hotkey,
  nonce,
}: AskerHeaders): { readonly ok: true; readonly claim: Claim } | { readonly ok: false; readonly text: string } => {
  if (hotkey === null) return { ok: false, text: 'No SS58 formatted address or public key provided.' }
  if (!isSs58(hotkey)) return { ok: false, text: 'Invalid SS58 address' }
  if (nonce === null) return { ok: false, text: 'Missing Nonce' }
  return { ok: true, claim: { hotkey, publicKey: decodeSs58(hotkey), nonce } }
}

/** Reads the signature, which is never optional; the refusal's text is Python's. */
export const readProof = ({
  signature,
}: AskerHeaders):
  | { readonly ok: true; readonly signature: Uint8Array }
  | { readonly ok: false; readonly text: string } => {
  if (signature === null) return { ok: false, text: 'Missing Signature' }
  if (!signature.startsWith('0x')) return { ok: false, text: 'Invalid signature format. Expected hex string.' }
  const bytes = readSignature(signature)
  return bytes === null ? { ok: false, text: 'Invalid SR25519 signature.' } : { ok: true, signature: bytes }
}
