import type { Logger } from '@arbor/shared/log'
import type { Block } from '@arbor/shared/units'
import type { Traffic } from '@arbor/validator/traffic'
import type { AskingDeps } from './asking.ts'

/** Creates what writes users' answers down for audits. A full disk costs the record, not the user's answer. */
export const createRecorder = (of: {
  readonly traffic: Pick<Traffic, 'record'> | null
  /** The newest finalised block. */
  readonly head: () => Block
  readonly log: Logger
}): AskingDeps['record'] => {
  const { traffic, head, log } = of
  if (traffic === null) return () => null
  return ({ task, answer }) => {
    try {
      return traffic.record({ task, answer, head: head() }).id
    } catch (error) {
      log.error({ event: 'gateway.not_recorded', uid: task.uid, error: String(error) }, 'an answer was not recorded')
      return null
    }
  }
}
