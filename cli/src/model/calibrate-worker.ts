import { calibrate } from '@arbor/engine/calibrate/calibrate'
import type { WorkerContext } from '@arbor/engine/contained/worker-context'
import type { Thresholds } from '@arbor/engine/thresholds'
import type { Provider } from '@arbor/shared/inference'
import { composePrompt } from '@arbor/subnet-spec/inference-prompts'

/** One calibration. */
export interface CalibrateJob {
  readonly folder: string
  readonly answers: number
  readonly providers: readonly Provider[]
  readonly chats: boolean
  /** Folder for altered weights. */
  readonly into: string
}

/** Calibrates as the job says; what was measured is told as progress, line by line. */
export default async function run(job: CalibrateJob, { signal, progress }: WorkerContext): Promise<Thresholds[]> {
  return calibrate({ ...job, compose: composePrompt, signal, say: progress })
}
