import { compactFromU8a } from '@polkadot/util'
import { blob } from './blob.ts'

/** Stands before the spec version in the blob's data. @source chain/runtime/src/version.rs */
const MARK = Buffer.from('arbor:version=\0\0')

/**
 * Makes a second runtime out of the one that comes with Arbor, without a compiler: another spec version, and names in its
 * metadata replaced by others of the same length.
 * @param of.rename pairs of names, as ['serve_axon', 'serve_anon']; every occurrence is replaced
 */
export function upgradedBlob(of: {
  readonly specVersion: number
  readonly rename?: readonly (readonly [from: string, to: string])[]
}): Uint8Array {
  const bytes = Buffer.from(blob())
  const at = bytes.indexOf(MARK)
  if (at < 0 || bytes.indexOf(MARK, at + 1) >= 0) throw new Error('the blob does not state its version once')
  const old = bytes.readUInt32LE(at + MARK.length)
  bytes.writeUInt32LE(of.specVersion, at + MARK.length)
  patchSection(bytes, old, of.specVersion)
  for (const [from, to] of of.rename ?? []) {
    if (from.length !== to.length) throw new Error(`${from} and ${to} differ in length`)
    let found = bytes.indexOf(from)
    if (found < 0) throw new Error(`the blob has no ${from}`)
    for (; found >= 0; found = bytes.indexOf(from, found + 1)) bytes.write(to, found, 'latin1')
  }
  return new Uint8Array(bytes)
}

/** Changes the version in the custom section `runtime_version`: two names, the authoring version, then the spec version. */
const patchSection = (bytes: Buffer, old: number, specVersion: number): void => {
  const name = 'runtime_version'
  let at = bytes.lastIndexOf(name) + name.length
  for (let skipped = 0; skipped < 2; skipped += 1) {
    const [offset, length] = compactFromU8a(bytes.subarray(at))
    at += offset + length.toNumber()
  }
  if (bytes.readUInt32LE(at + 4) !== old) throw new Error('the section runtime_version has another layout')
  bytes.writeUInt32LE(specVersion, at + 4)
}
