import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { sha256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import { publicKeyOf, secretScalar } from '../timelock/drand.ts'

/** The development beacon's secret, known to everybody. @source chain/pallets/drand/src/beacons.rs DEVELOPMENT_PUBLIC_KEY */
export const developmentSecret = (): bigint => secretScalar(sha256(toBytes('arbor development beacon')))

/** Reads a beacon's secret: 0x and 64 hexadecimal digits. @throws BEACON_KEY_FILE */
export function readSecret(file: string): bigint {
  try {
    return secretScalar(fromHex(readFileSync(file, 'utf8').trim(), 32))
  } catch (cause) {
    throw new SubnetError({
      code: 'BEACON_KEY_FILE',
      message: `${file} holds no beacon key: ${reason(cause)}; it is one line, 0x and 64 hexadecimal digits (make one with --new-key)`,
    })
  }
}

/**
 * Writes a new secret that only its owner can read, and never over an old one.
 * @param seed 32 unpredictable bytes
 * @returns the genesis that names its public key
 * @throws BEACON_KEY_FILE
 */
export function writeSecret(file: string, seed: Uint8Array): { readonly drand: unknown } {
  const secret = secretScalar(seed)
  try {
    const handle = openSync(file, 'wx', 0o600)
    writeSync(handle, `${toHex(seed)}\n`)
    closeSync(handle)
  } catch (cause) {
    throw new SubnetError({
      code: 'BEACON_KEY_FILE',
      message: `no beacon key can be written to ${file}: ${reason(cause)}; name a file that does not exist yet`,
      cause,
    })
  }
  return { drand: { beacon: { publicKey: toHex(publicKeyOf(secret)), period: 1, name: 'local' } } }
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
