import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { reader, u32le } from '../../chain/src/embedded/scale.ts'
import { startTestChain } from '../../chain/test/support/embedded.ts'
import { compareSurfaces } from './compare.ts'
import { surfacePage } from './page.ts'
import { readSurface } from './read.ts'
import { refusedCalls } from './refused.ts'

/** The version of Bittensor's runtime that this chain follows, as far as its metadata is at hand. */
const REFERENCE = { spec: 424, file: '../../test/vectors/metadata/subtensor-spec424.v16.scale.gz' }
/** Pallets with calls that exist for their names only. */
const WITH_REFUSALS = ['SubtensorModule']

/** Makes the page anew: reads both metadata, and makes the calls. */
export async function makePage(): Promise<string> {
  const on = await startTestChain()
  try {
    const answer = reader(on.chain.call('Metadata_metadata_at_version', u32le(15), on.chain.genesisHash))
    if (answer.u8() !== 1) throw new Error('the runtime serves no metadata of version 15')
    const theirs = readSurface(gunzipSync(readFileSync(new URL(REFERENCE.file, import.meta.url))))
    const refused = new Map<string, ReadonlyMap<string, string>>()
    for (const pallet of WITH_REFUSALS) refused.set(pallet, await refusedCalls(on, pallet))
    return surfacePage({
      comparison: compareSurfaces(readSurface(answer.vec()), theirs),
      refused,
      reference: REFERENCE.spec,
    })
  } finally {
    await on.chain.close()
  }
}
