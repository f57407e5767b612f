import type { NetUid } from '@arbor/shared/units'
import type { Children } from './children.ts'
import { memberArgs, type NetPaths } from './command-lines.ts'
import type { Member } from './roster.ts'

/** Processes that start together: more of them than cores would make each other's chain connections late. */
const TOGETHER = 8
/** Processes that start at once where there are more than those. */
const AT_ONCE = 3

/**
 * Starts the processes of a net's members: a few all together, many in turn as earlier ones become ready, miners before validators.
 */
export async function startMembers(of: {
  readonly children: Children
  readonly members: readonly Member[]
  readonly paths: NetPaths
  readonly url: string
  readonly netuid: NetUid
  readonly spec: string
  readonly model: string
  readonly signal: AbortSignal
}): Promise<void> {
  const { children, members, signal } = of
  const start = (member: Member): void => children.start(member.name, memberArgs({ ...of, member }))
  if (members.length <= TOGETHER) {
    members.forEach(start)
    return
  }
  const waiting = [...members]
  const startNext = async (): Promise<void> => {
    for (let member = waiting.shift(); member !== undefined && !signal.aborted; member = waiting.shift()) {
      start(member)
      await children.waitFor(member.name, `${member.role}.ready`, signal)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, startNext))
}
