import { hostPort } from '@arbor/chain/address'
import { addressKind, sameAddress } from './address-kind.ts'
import { diagnoseAnnounced } from './diagnose-announced.ts'
import { diagnoseInside } from './diagnose-inside.ts'
import { diagnoseOutside, reachedBy } from './diagnose-outside.ts'
import type { Facts } from './facts.ts'
import { isOwn, who } from './facts.ts'
import { type Finding, type Judgement, judgement } from './finding.ts'
import { announce, otherPort, publicAddress, whoHolds } from './remedies.ts'

/** What all findings come to. */
export interface Diagnosis {
  /** Whether validators can reach the miner (miners the validator that listens), as far as was seen. */
  readonly reachable: boolean
  /** Whether that was seen from outside this machine. */
  readonly isProven: boolean
  readonly findings: readonly Finding[]
}

/** Judges what was seen: each finding says what is wrong and which flag, port or rule mends it. */
export function diagnose(facts: Facts): Diagnosis {
  const findings = [
    ...diagnoseLocal(facts),
    ...diagnoseAnnounced(facts),
    ...diagnoseInside(facts),
    ...diagnoseOutside(facts),
    ...diagnoseHeld(facts),
  ]
  const isProven = isHeld(facts) || facts.outside.some(({ seen }) => seen !== null && isAnnouncedReached(facts, seen))
  const isReached = isProven || facts.inside?.met === 'right'
  return { reachable: isReached && findings.every(({ level }) => level !== 'bad'), isProven, findings }
}

const isAnnouncedReached = (facts: Facts, seen: NonNullable<Facts['outside'][number]['seen']>): boolean =>
  reachedBy(facts, seen) && facts.announced !== null && sameAddress(seen.address, facts.announced.ip)

const isHeld = ({ held }: Facts): boolean => held.some(({ met }) => met === 'right')

/** Judges who listens on this machine. */
const diagnoseLocal = (facts: Facts): readonly Finding[] => {
  const { local, inside } = facts
  const about = { step: 'listening here', where: hostPort(local) } as const
  // Behind a relay, on another machine, or dialling out: then nothing need listen here.
  const isElsewhere = inside?.met === 'right' || isHeld(facts)
  return [{ ...about, ...judgeLocal(facts, isElsewhere ? 'ok' : 'bad') }, ...boundTo(facts)]
}

const judgeLocal = (facts: Facts, level: 'ok' | 'bad'): Judgement => {
  const { local, port, announced } = facts
  const at = hostPort(local)
  switch (local.met) {
    case 'right':
      return judgement('ok', `${who(facts)} answers on this machine at ${at}`)
    case 'refused':
    case 'no-route': {
      const note = level === 'ok' ? '; it runs elsewhere, or dials out' : ''
      return judgement(level, `nothing listens on this machine at port ${port}${note}`, [
        announce(facts, announced ?? { ip: publicAddress(facts), port }),
        'or name the port on which it listens: arbor doctor net --port N',
      ])
    }
    case 'other-hotkey':
      return judgement(level, `a process of Arbor listens at ${at}, but not ${who(facts)}: ${local.detail}`, [
        'name the right hotkey with --wallet and --hotkey, or the right port with --port',
        'if the hotkey was registered anew, start its miner again',
      ])
    default:
      return judgement(level, `another program holds port ${port} (${local.detail})`, [
        whoHolds(port),
        `stop it, or take another port: ${otherPort(facts)}`,
      ])
  }
}

/** Judges whether it listens where those who dial the announced address arrive. */
const boundTo = (facts: Facts): readonly Finding[] => {
  const { listeners, announced, local } = facts
  if (local.met !== 'right' || listeners === null || announced === null) return []
  if (addressKind(announced.ip) === 'loopback' || !listeners.every((ip) => addressKind(ip) === 'loopback')) return []
  const level = isOwn(facts, announced.ip) || facts.inside?.met !== 'right' ? 'bad' : 'warn'
  const where = listeners.join(', ')
  const message = `it listens on ${where} only, where no other machine arrives`
  return [{ step: 'listening here', where, ...judgement(level, message, [announce(facts, announced)]) }]
}

/** Judges whether validators that listen hold a connection of a miner that dials out. */
const diagnoseHeld = (facts: Facts): readonly Finding[] => {
  const { held, announced } = facts
  const count = held.filter(({ met }) => met === 'right').length
  const about = { step: 'dialled out', where: held.map(hostPort).join(', ') } as const
  if (count > 0)
    return [
      {
        ...about,
        ...judgement('ok', `${count} of ${held.length} validators that listen hold a connection of this miner`),
      },
    ]
  if (held.length === 0 || announced !== null) return []
  const message = `none of the ${held.length} validators that listen holds a connection of this miner`
  return [{ ...about, ...judgement('bad', message, ['arbor miner --dial validators']) }]
}
