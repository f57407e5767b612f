import type { Logger } from '@arbor/shared/log'
import type { Block } from '@arbor/shared/units'
import type { Traffic } from '@arbor/validator/traffic'
import type { AskingDeps } from './asking.ts'

/** Blocks that a miner may know before we do, since they take their time to us; it could choose its answer by their hash. */
const AHEAD = 1

/** Creates what writes users' answers down for audits. A full disk costs the record, not the user's answer. */
export const createRecorder = (of: {
  readonly traffic: Pick<Traffic, 'record'> | null
  /** The newest block that we know, final or not. */
  readonly head: () => Block
  readonly log: Logger
}): AskingDeps['record'] => {
  const { traffic, head, log } = of
  if (traffic === null) return () => null
  return ({ task, answer }) => {
    try {
      return traffic.record({ task, answer, head: (head() + AHEAD) as Block }).id
    } catch (error) {
      log.error({ event: 'gateway.not_recorded', uid: task.uid, error: String(error) }, 'an answer was not recorded')
      return null
    }
  }
}
