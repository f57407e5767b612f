import { join } from 'node:path'
import { openScoresReader, type ScoresReader } from '@arbor/validator/read-scores'
import { openTraffic, type Traffic } from '@arbor/validator/traffic'

/** The validator's files, as far as the gateway uses them; null where it has no validator's folder. */
export interface ValidatorData extends Disposable {
  readonly scores: ScoresReader | null
  readonly traffic: Traffic | null
}

/**
 * Opens the files of a validator's data folder.
 * @throws STORE_*
 */
export const openValidatorData = (
  of: { readonly folder: string | null } & Omit<Parameters<typeof openTraffic>[0], 'file' | 'maxWaiting'>,
): ValidatorData => {
  const { folder, owner, spec } = of
  if (folder === null) return { scores: null, traffic: null, [Symbol.dispose]: () => undefined }
  const traffic = openTraffic({ file: join(folder, 'traffic.sqlite'), owner, spec })
  const scores = openScoresReader({ file: join(folder, 'ledger.sqlite') })
  return {
    scores,
    traffic,
    [Symbol.dispose]: () => {
      scores[Symbol.dispose]()
      traffic.close()
    },
  }
}
