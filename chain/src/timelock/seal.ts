import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { sha256 } from '@arbor/shared/hashing'
import { bls12_381 as bls } from '@noble/curves/bls12-381'
import { type Beacon, keyPoint, numberBE, type Pulse, roundPoint, signaturePoint } from './drand.ts'
import type { SealRandomness } from './randomness.ts'

/**
 * Timelock encryption as the crate `tle` does it: identity-based encryption (Boneh and Franklin, with the transform of
 * Fujisaki and Okamoto) of an AES-256-GCM key to a beacon's round. Its layout is arkworks' own serialisation.
 * @source ideal-lab5/timelock timelock/src/{tlock.rs,ibe/fullident.rs}
 */

const SUITE = new TextEncoder().encode('AES_GCM_')
const POINT_BYTES = 96
const TAG_BYTES = 16
const { Fr } = bls.fields

/**
 * Seals bytes for a round: whoever has the round's signature can open them.
 * @param random see `drawSealRandomness`; used once
 */
export function seal(
  beacon: Pick<Beacon, 'publicKey'>,
  round: bigint,
  plain: Uint8Array,
  random: SealRandomness,
): Uint8Array {
  const { key, sigma, nonce } = random
  const scalar = ephemeral(sigma, key)
  const shared = bls.pairing(roundPoint(round).multiply(scalar), keyPoint(beacon.publicKey))
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const boxed = concatBytes(cipher.update(plain), cipher.final(), cipher.getAuthTag())
  return concatBytes(
    bls.G2.ProjectivePoint.BASE.multiply(scalar).toRawBytes(true),
    sized(xor(sigma, sha256(fieldBytes(shared)))),
    sized(xor(key, sha256(sigma))),
    sized(concatBytes(sized(boxed), sized(nonce))),
    sized(SUITE),
  )
}

/**
 * Opens sealed bytes with a round's signature, and tells what randomness made them.
 * @throws TIMELOCK_MALFORMED when the layout is another one, TIMELOCK_NOT_OPENED when the signature is of another round or
 * key, or the bytes were changed
 */
export function unseal(
  sealed: Uint8Array,
  pulse: Pick<Pulse, 'signature'>,
): { readonly plain: Uint8Array; readonly random: SealRandomness } {
  const { point, maskedSigma, maskedKey, boxed, nonce } = readSealed(sealed)
  const shared = bls.pairing(signaturePoint(pulse.signature), point)
  const sigma = xor(maskedSigma, sha256(fieldBytes(shared)))
  const key = xor(maskedKey, sha256(sigma))
  if (!bls.G2.ProjectivePoint.BASE.multiply(ephemeral(sigma, key)).equals(point)) throw notOpened()
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAuthTag(boxed.subarray(-TAG_BYTES))
  try {
    const plain = concatBytes(decipher.update(boxed.subarray(0, -TAG_BYTES)), decipher.final())
    return { plain, random: { key, sigma, nonce } }
  } catch (cause) {
    throw notOpened(cause)
  }
}

const readSealed = (sealed: Uint8Array) => {
  const head = sealed.subarray(0, POINT_BYTES)
  const [maskedSigma, maskedKey, body, suite, rest] = splitSized(sealed.subarray(POINT_BYTES), 4)
  const [boxed, nonce, after] = splitSized(body ?? new Uint8Array(), 2)
  const sizes = [maskedSigma?.length, maskedKey?.length, nonce?.length, rest?.length, after?.length]
  if (sizes.join() !== '32,32,12,0,0' || Buffer.compare(suite ?? head, SUITE) !== 0 || (boxed?.length ?? 0) < TAG_BYTES)
    throw malformed('its parts do not have the sizes of this scheme')
  let point: ReturnType<typeof keyPoint>
  try {
    point = keyPoint(head)
  } catch (cause) {
    throw malformed('its ephemeral key is no point of the curve', cause)
  }
  return { point, maskedSigma, maskedKey, boxed, nonce } as {
    readonly point: typeof point
    readonly maskedSigma: Uint8Array
    readonly maskedKey: Uint8Array
    readonly boxed: Uint8Array
    readonly nonce: Uint8Array
  }
}

/** The scalar that both randomness and key fix, so that a changed ciphertext shows. */
const ephemeral = (sigma: Uint8Array, key: Uint8Array): bigint => numberBE(sha256(concatBytes(sigma, key))) % Fr.ORDER

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, index) => byte ^ (b[index] ?? 0))

/** Prefixes bytes with their length as u64, little-endian. */
const sized = (bytes: Uint8Array): Uint8Array => {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true)
  return concatBytes(length, bytes)
}

/** Splits off so many sized parts; the last entry is what remains. */
const splitSized = (bytes: Uint8Array, count: number): Uint8Array[] => {
  const parts: Uint8Array[] = []
  let rest = bytes
  for (let index = 0; index < count; index += 1) {
    if (rest.length < 8) throw malformed('it ends too early')
    const length = new DataView(rest.buffer, rest.byteOffset).getBigUint64(0, true)
    if (length > BigInt(rest.length - 8)) throw malformed('it ends too early')
    parts.push(rest.subarray(8, 8 + Number(length)))
    rest = rest.subarray(8 + Number(length))
  }
  return [...parts, rest]
}

/** Writes an element of the target group: its twelve coordinates, little-endian, 48 bytes each. */
const fieldBytes = (element: ReturnType<typeof bls.pairing>): Uint8Array =>
  Uint8Array.from(coordinates(element).flatMap((value) => [...littleEndian(value)]))

const coordinates = ({ c0, c1 }: ReturnType<typeof bls.pairing>): bigint[] =>
  [c0, c1].flatMap((six) => [six.c0, six.c1, six.c2]).flatMap((two) => [two.c0, two.c1])

const littleEndian = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(48)
  for (let index = 0, rest = value; index < 48; index += 1, rest >>= 8n) bytes[index] = Number(rest & 255n)
  return bytes
}

const malformed = (why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'TIMELOCK_MALFORMED',
    message: `these bytes are no timelocked ciphertext: ${why}; check where they come from`,
    cause,
  })

const notOpened = (cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'TIMELOCK_NOT_OPENED',
    message: 'the signature does not open this ciphertext; it is of another round or beacon, or the bytes were changed',
    cause,
  })
