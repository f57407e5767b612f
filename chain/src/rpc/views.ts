import { toHex } from '@arbor/shared/hex'
import { reader } from '../embedded/scale.ts'
import type { Header, StoredBlock } from '../embedded/types.ts'

/** Writes a header as Substrate's RPC does: the number is hexadecimal. */
export const headerView = ({ parentHash, number, stateRoot, extrinsicsRoot, digest }: Header) => ({
  parentHash,
  number: `0x${number.toString(16)}`,
  stateRoot,
  extrinsicsRoot,
  digest: { logs: digest },
})

/** Writes a block with its extrinsics exactly as they were submitted. */
export const blockView = ({ header, extrinsics }: StoredBlock) => ({
  block: { header: headerView(header), extrinsics: extrinsics.map(toHex) },
  justifications: null,
})

/** Reads a runtime's Core_version. @source sp-version RuntimeVersion */
export const versionView = (encoded: Uint8Array) => {
  const read = reader(encoded)
  const specName = read.text()
  const implName = read.text()
  const [authoringVersion, specVersion, implVersion] = [read.u32(), read.u32(), read.u32()]
  const apis = Array.from({ length: read.compact() }, () => [toHex(read.bytes(8)), read.u32()] as const)
  const transactionVersion = read.u32()
  const stateVersion = read.u8()
  const names = { specName, implName, authoringVersion, specVersion, implVersion, apis, transactionVersion }
  // The field was renamed; clients of both ages ask.
  return { ...names, systemVersion: stateVersion, stateVersion }
}
