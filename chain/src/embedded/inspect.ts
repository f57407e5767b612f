import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { initHashes } from './hash.ts'
import { createRuntimes } from './runtime/runtimes.ts'
import { CHAIN_FILE, openDatabase } from './store/open.ts'
import { createStore, type Store } from './store/store.ts'
import { type Verified, verifyAll, verifyFile, verifyHead } from './verify.ts'

/** What a folder holds. */
export interface Inspected {
  readonly best: number
  readonly finalized: number
  readonly genesis: Hex | null
  readonly head: Hex
  readonly stateRoot: Hex
  readonly specName: string
  readonly specVersion: number
  /** First block whose state is kept. */
  readonly keptFrom: number
  readonly keys: number
  readonly bytes: number
  /** What the full check found whole; null without it. */
  readonly verified: Verified | null
}

/** Runs something on the chain in a folder that no process holds. @throws CHAIN_NO_DATA, CHAIN_FOLDER_IN_USE, CHAIN_DATA_CORRUPT */
export const withStore = async <Result>(
  folder: string,
  use: (store: Store, database: ReturnType<typeof openDatabase>) => Result | Promise<Result>,
): Promise<Result> => {
  if (!existsSync(join(folder, CHAIN_FILE))) {
    throw new SubnetError({ code: 'CHAIN_NO_DATA', message: `There is no chain in ${folder}; check --data` })
  }
  await initHashes()
  const database = openDatabase(folder)
  const store = createStore(database, { keep: Infinity })
  try {
    return await use(store, database)
  } finally {
    store.close()
  }
}

/** Looks at the chain in a folder; changes nothing. @param of.verify reads and hashes all of it */
export const inspectFolder = (folder: string, { verify }: { readonly verify: boolean }): Promise<Inspected> =>
  withStore(folder, (store, database) => {
    const { hash, header } = verifyHead(store)
    const { version } = createRuntimes({}).of(store.state(hash))
    if (verify) verifyFile(database)
    return {
      best: header.number,
      finalized: store.finalizedNumber(),
      genesis: store.hashAt(0),
      head: hash,
      stateRoot: header.stateRoot,
      specName: version.specName,
      specVersion: version.specVersion,
      keptFrom: store.firstState(),
      keys: store.keys(hash),
      bytes: store.bytes(),
      verified: verify ? verifyAll(store) : null,
    }
  })
