import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Metadata, TypeRegistry } from '@polkadot/types'
import type { RuntimeVersion } from '@polkadot/types/interfaces'
import { u8aToHex } from '@polkadot/util'
import { createRuntime, type Runtime } from '../../src/client/runtime.ts'

const folder = new URL('../../../test/vectors/metadata/', import.meta.url)

/** Versions of Bittensor's runtime whose metadata we keep; `NetUid` became a type of its own after 393. */
export const fixtures = [
  { spec: 240, file: 'subtensor-spec240.v15.scale.gz' },
  { spec: 343, file: 'subtensor-spec343.v15.scale.gz' },
  { spec: 393, file: 'subtensor-spec393.v16.scale.gz' },
  { spec: 424, file: 'subtensor-spec424.v16.scale.gz' },
].filter(({ file }) => existsSync(new URL(file, folder)))

/** Reads a fixture's metadata, which begins with "meta" and its version. */
export const metadataBytes = (file: string): Uint8Array =>
  Uint8Array.from(gunzipSync(readFileSync(new URL(file, folder))))

/** Makes the runtime of a fixture, stating the given version. */
export function runtimeOf(file: string, specVersion: number): Runtime {
  const registry = new TypeRegistry()
  const metadata = new Metadata(registry, u8aToHex(metadataBytes(file)))
  registry.setMetadata(metadata, undefined, undefined, true)
  const version = registry.createTypeUnsafe<RuntimeVersion>('RuntimeVersion', [
    { specName: 'node-subtensor', implName: 'node-subtensor', specVersion, transactionVersion: 1 },
  ])
  return createRuntime(registry, metadata, version)
}
