import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { reader } from '../embedded/scale.ts'
import type { EmbeddedChain, Header, StoredBlock } from '../embedded/types.ts'

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

/** Finds the block that an optional hash means. @throws CHAIN_UNKNOWN_BLOCK */
export const resolveHash = (chain: EmbeddedChain, hash: Hex | null): Hex => {
  if (hash === null) return chain.best().hash
  if (chain.block(hash) !== null) return hash
  throw new SubnetError({
    code: 'CHAIN_UNKNOWN_BLOCK',
    message: `This chain has no block ${hash}; ask for one it has`,
    details: { at: hash },
  })
}
