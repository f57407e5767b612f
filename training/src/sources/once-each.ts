import type { Hex } from '@arbor/shared/units'
import type { BlobSource } from '../types.ts'

/** Makes a source that fetches a file once at a time: whoever asks for it meanwhile gets what is on its way, which is one partial file. */
export function onceEach(fetchNow: BlobSource['fetch']): BlobSource {
  const running = new Map<Hex, Promise<Uint8Array>>()
  return {
    fetch: (wanted) => {
      const known = running.get(wanted.name)
      if (known !== undefined) return known
      const fetching = fetchNow(wanted).finally(() => running.delete(wanted.name))
      running.set(wanted.name, fetching)
      return fetching
    },
  }
}
