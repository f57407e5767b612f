import { findDataset } from '../../engine/src/dataset/find.ts'
import { openDataset } from '../../engine/src/dataset/open.ts'
import { findModel } from '../../engine/src/find-model.ts'
import { trainLocally } from '../../engine/src/train/local.ts'
import { openTrainer } from '../../engine/src/train/trainer.ts'
import type { Dataset, Trainer, Windows } from '../../engine/src/train/types.ts'
import { blake2b256 } from '../../shared/src/hashing.ts'
import { toHex } from '../../shared/src/hex.ts'
import { encodeSs58 } from '../../shared/src/ss58.ts'
import type { LocalTerms } from '../../shared/src/training.ts'
import type { Hex, NetUid, Ss58, Uid } from '../../shared/src/units.ts'
import { optimiserOf } from '../../subnet-spec/finetune/optimisers/optimiser-of.ts'
import spec from '../../subnet-spec/finetune/spec.ts'
import type { Optimiser, TrainingTerms } from '../../subnet-spec/finetune/types.ts'
import { assignedWindows } from '../../subnet-spec/finetune/windows.ts'
import { type TakeSteps, takeStepsOf } from '../../training/src/train-to.ts'

export const NETUID = 1 as NetUid

/** The built-in training subnet in this process: no chain, no sockets; the real trainer, data and optimiser. */
export interface Subnet {
  readonly terms: TrainingTerms
  readonly dataset: Dataset
  readonly trainer: Trainer
  readonly optimiser: Optimiser
  readonly netuid: NetUid
  take(signal: AbortSignal): TakeSteps
  /** Windows that a uid is given in a round, pass by pass. */
  assigned(of: { readonly round: number; readonly uid: Uid }): (pass: number) => Windows
}

/** Opens it. @param of.threads of one pass of the trainer */
export const openSubnet = async ({ threads = 1 }: { readonly threads?: number } = {}): Promise<Subnet> => {
  const terms = spec.training
  if (terms === undefined) throw new Error('the spec trains nothing')
  const cwd = process.cwd()
  const { local } = terms
  const dataset = await openDataset({
    folder: findDataset({ dataset: terms.data.name, cwd }),
    id: terms.data,
    length: local.length,
  })
  const folder = findModel({ model: `${spec.model.name}-train`, cwd })
  const model = findModel({ model: spec.model.name, cwd })
  const trainer = await openTrainer({ folder, model, batch: local.batch, length: local.length, threads })
  const optimiser = optimiserOf({ terms: terms.optimiser, layout: trainer.layout })
  const netuid = NETUID
  return {
    terms,
    dataset,
    trainer,
    optimiser,
    netuid,
    take: (signal) => takeStepsOf({ optimiser, trainer, terms: local, trainLocally, signal }),
    assigned: ({ round, uid }) => windowsOf({ dataset, netuid, round, uid, local }),
  }
}

/** Hash of the block that starts a round, or that closes its publishing. */
export const blockHash = (round: number, which: 'start' | 'published'): Hex =>
  toHex(blake2b256(new TextEncoder().encode(`bench/separation/${which}/${round}`)))

/** A hotkey for a uid. */
export const hotkeyOf = (uid: number): Ss58 => encodeSs58(blake2b256(new TextEncoder().encode(`bench/miner/${uid}`)))

const windowsOf = (of: {
  readonly dataset: Dataset
  readonly netuid: NetUid
  readonly round: number
  readonly uid: Uid
  readonly local: LocalTerms
}): ((pass: number) => Windows) => {
  const { dataset, netuid, round, uid, local } = of
  const tokens = dataset.train
  const starts = assignedWindows({
    blockHash: blockHash(round, 'start'),
    netuid,
    round,
    uid,
    tokens: tokens.length,
    local,
  })
  return (pass) => ({ tokens, starts: starts(pass) })
}
