import { sha256 } from '@arbor/shared/hashing'
import { fromHex } from '@arbor/shared/hex'
import type { UnixMs } from '@arbor/shared/units'
import { bls12_381 as bls } from '@noble/curves/bls12-381'

/** A randomness beacon: whose signatures open what is sealed for a round, and when the rounds are due. */
export interface Beacon {
  /** Compressed G2, 96 bytes. */
  readonly publicKey: Uint8Array
  /** Seconds between two rounds. */
  readonly periodS: number
  /** Unix seconds at which round 1 is due. */
  readonly genesisS: number
}

/** One round's signature, and what it hashes to. */
export interface Pulse {
  readonly round: bigint
  /** Compressed G1, 48 bytes. */
  readonly signature: Uint8Array
  /** SHA-256 of the signature. */
  readonly randomness: Uint8Array
}

/** The League of Entropy’s quicknet. @source drand chain 52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971 */
export const QUICKNET: Beacon = {
  publicKey: fromHex(
    '0x83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  ),
  periodS: 3,
  genesisS: 1_692_803_367,
}

/** Domain of drand's scheme bls-unchained-g1-rfc9380. */
const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'

type G1Point = InstanceType<typeof bls.G1.ProjectivePoint>
type G2Point = InstanceType<typeof bls.G2.ProjectivePoint>

/** Tells which round is the newest that is due at a time; 0 before the first. */
export const roundAt = ({ periodS, genesisS }: Beacon, time: UnixMs): bigint => {
  const sinceMs = time - genesisS * 1000
  return sinceMs < 0 ? 0n : BigInt(Math.floor(sinceMs / (periodS * 1000))) + 1n
}

/** Tells when a round is due. */
export const dueAt = ({ periodS, genesisS }: Beacon, round: bigint): UnixMs =>
  ((genesisS + Number(round - 1n) * periodS) * 1000) as UnixMs

/** Hashes a round to the point that the beacon multiplies with its key. */
export const roundPoint = (round: bigint): G1Point => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, round)
  return bls.G1.hashToCurve(sha256(bytes), { DST }) as unknown as G1Point
}

/** Reads a compressed signature. @throws when it is no point of G1 */
export const signaturePoint = (signature: Uint8Array): G1Point => bls.G1.ProjectivePoint.fromHex(signature)

/** Reads a compressed public key or ephemeral key. @throws when it is no point of G2 */
export const keyPoint = (bytes: Uint8Array): G2Point => bls.G2.ProjectivePoint.fromHex(bytes)

/** Computes the public key of a secret scalar. */
export const publicKeyOf = (secret: bigint): Uint8Array => bls.G2.ProjectivePoint.BASE.multiply(secret).toRawBytes(true)

/** Reads bytes as a secret scalar, big-endian modulo the group's order. @throws RangeError when it is 0 */
export const secretScalar = (bytes: Uint8Array): bigint => {
  const scalar = numberBE(bytes) % bls.fields.Fr.ORDER
  if (scalar === 0n) throw new RangeError('the secret key is 0')
  return scalar
}

/** Reads bytes as a number, the most significant first. */
export const numberBE = (bytes: Uint8Array): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

/** Signs a round. */
export function signRound(secret: bigint, round: bigint): Pulse {
  const signature = roundPoint(round).multiply(secret).toRawBytes(true)
  return { round, signature, randomness: sha256(signature) }
}

/** Checks a pulse against a beacon's key. */
export function verifyPulse({ publicKey }: Pick<Beacon, 'publicKey'>, pulse: Pulse): boolean {
  if (Buffer.compare(sha256(pulse.signature), pulse.randomness) !== 0) return false
  try {
    const signed = bls.pairing(signaturePoint(pulse.signature), bls.G2.ProjectivePoint.BASE)
    return bls.fields.Fp12.eql(signed, bls.pairing(roundPoint(pulse.round), keyPoint(publicKey)))
  } catch {
    return false
  }
}
