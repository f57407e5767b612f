import { blobName } from '@arbor/shared/blob'
import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { areFinite, bytesToFloats, floatsToBytes } from '@arbor/shared/floats'
import type { Hex } from '@arbor/shared/units'
import type { Checkpoint, Optimiser } from './types.ts'

/**
 * A checkpoint's file: "ARBC", version (u8), length of the spec's name (u8), round, version of the spec, size (u32 each, little-endian), the spec's
 * name in UTF-8, then parameters and outer momentum as binary32, little-endian.
 */
const MAGIC = new TextEncoder().encode('ARBC')
const VERSION = 1
const FIXED_BYTES = MAGIC.length + 2 + 3 * 4

/** Counts the bytes of a checkpoint's file. */
export const checkpointBytes = (of: {
  readonly size: number
  readonly spec: Pick<Checkpoint['spec'], 'name'>
}): number => FIXED_BYTES + toBytes(of.spec.name).length + 8 * of.size

/** Writes a checkpoint's file. @throws CHECKPOINT_SPEC when the spec's name has more than 255 bytes */
export const encodeCheckpoint = ({ round, spec, params, outer }: Checkpoint): Uint8Array => {
  const name = toBytes(spec.name)
  if (name.length > 255) throw refused('SPEC', `names a spec in ${name.length} bytes instead of at most 255`)
  const head = Buffer.alloc(FIXED_BYTES)
  head.set(MAGIC)
  head.writeUInt8(VERSION, 4)
  head.writeUInt8(name.length, 5)
  head.writeUInt32LE(round, 6)
  head.writeUInt32LE(spec.version, 10)
  head.writeUInt32LE(params.length, 14)
  return concatBytes(head, name, floatsToBytes(params), floatsToBytes(outer))
}

/** Names a checkpoint by its bytes. */
export const checkpointName = (checkpoint: Checkpoint): Hex => blobName(encodeCheckpoint(checkpoint))

/**
 * Reads a checkpoint's file.
 * @param of.size elements of the spec's model
 * @param of.name that it was asked for by
 * @param of.spec whose model it has to be
 * @throws CHECKPOINT_NAME, CHECKPOINT_MALFORMED, CHECKPOINT_SHAPE, CHECKPOINT_SPEC, CHECKPOINT_NOT_FINITE
 */
export const decodeCheckpoint = (of: {
  readonly file: Uint8Array
  readonly size: number
  readonly name?: Hex
  readonly spec?: Checkpoint['spec']
}): Checkpoint => {
  const { file, size, name, spec } = of
  if (name !== undefined && blobName(file) !== name) throw refused('NAME', `is not ${name}, which was asked for`)
  const head = headOf(file)
  if (head.size !== size) throw refused('SHAPE', `has ${head.size} elements, the model ${size}`)
  if (spec !== undefined && (head.spec.name !== spec.name || head.spec.version !== spec.version))
    throw refused('SPEC', `is of "${head.spec.name}" ${head.spec.version} instead of "${spec.name}" ${spec.version}`)
  if (file.length !== head.bytes + 8 * size) throw refused('MALFORMED', `has ${file.length} bytes, its head says other`)
  const params = bytesToFloats(file.subarray(head.bytes, head.bytes + 4 * size))
  const outer = bytesToFloats(file.subarray(head.bytes + 4 * size))
  if (!areFinite(params) || !areFinite(outer)) throw refused('NOT_FINITE', 'has NaN or infinite numbers')
  return { round: head.round, spec: head.spec, params, outer }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads what stands before the numbers. */
const headOf = (
  file: Uint8Array,
): Pick<Checkpoint, 'round' | 'spec'> & { readonly size: number; readonly bytes: number } => {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < FIXED_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw refused('MALFORMED', 'does not begin with ARBC and a head')
  if (bytes[4] !== VERSION) throw refused('MALFORMED', `has version ${bytes[4]} instead of ${VERSION}`)
  const end = FIXED_BYTES + (bytes[5] ?? 0)
  return {
    round: bytes.readUInt32LE(6),
    spec: { name: textOf(bytes.subarray(FIXED_BYTES, end)), version: bytes.readUInt32LE(10) },
    size: bytes.readUInt32LE(14),
    bytes: end,
  }
}

const textOf = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    throw refused('MALFORMED', 'names its spec in ill-formed UTF-8')
  }
}

/** Merges a round's updates, given in order of uid, into the checkpoint that the next one starts from. */
export const nextCheckpoint = (of: {
  readonly checkpoint: Checkpoint
  readonly optimiser: Optimiser
  readonly updates: readonly Float32Array[]
}): Checkpoint => {
  const { checkpoint, optimiser, updates } = of
  const { params, outer } = checkpoint
  return { ...checkpoint, ...optimiser.merge({ params, outer, updates }), round: checkpoint.round + 1 }
}

const CODES = {
  NAME: 'CHECKPOINT_NAME',
  MALFORMED: 'CHECKPOINT_MALFORMED',
  SHAPE: 'CHECKPOINT_SHAPE',
  SPEC: 'CHECKPOINT_SPEC',
  NOT_FINITE: 'CHECKPOINT_NOT_FINITE',
} as const

const refused = (what: keyof typeof CODES, message: string): SubnetError =>
  new SubnetError({
    code: CODES[what],
    message: `The checkpoint ${message}; fetch it from another validator, or update Arbor`,
  })
