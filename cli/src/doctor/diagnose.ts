import { addressKind, place, sameAddress } from './address-kind.ts'
import { diagnoseAnnounced } from './diagnose-announced.ts'
import { diagnoseOutside } from './diagnose-outside.ts'
import type { Facts } from './facts.ts'
import { isOwn } from './facts.ts'
import type { Finding } from './finding.ts'
import { announce, whoHolds } from './remedies.ts'

/** What all findings come to. */
export interface Diagnosis {
  /** Whether validators can reach the miner, as far as was seen. */
  readonly reachable: boolean
  /** Whether that was seen from outside this machine. */
  readonly isProven: boolean
  readonly findings: readonly Finding[]
}

/** Judges what was seen: each finding says what is wrong and which flag, port or rule mends it. */
export function diagnose(facts: Facts): Diagnosis {
  const findings = [...diagnoseLocal(facts), ...diagnoseAnnounced(facts), ...diagnoseOutside(facts)]
  const tries = facts.outside.filter((one) => one.seen !== null)
  const isSeenOutside = tries.some(
    ({ seen }) => seen?.certificate === 'right' && sameAddress(seen.address, facts.announced?.ip ?? ''),
  )
  const isBad = findings.some(({ level }) => level === 'bad')
  return { reachable: !isBad && (isSeenOutside || facts.inside?.met === 'right'), isProven: isSeenOutside, findings }
}

/** Judges who listens on this machine. */
const diagnoseLocal = (facts: Facts): readonly Finding[] => {
  const { local, port, announced, inside } = facts
  const at = place(local)
  const ip = announced?.ip ?? 'ADDRESS'
  const about = { step: 'listening here', where: at } as const
  // Behind a relay, or on another machine, nothing listens here and all is well.
  const level = inside?.met === 'right' ? 'ok' : 'bad'
  const start = announce({ ip, port: announced?.port ?? port }, port)
  switch (local.met) {
    case 'right':
      return [
        { ...about, level: 'ok', message: `the miner of this hotkey listens at ${at}`, remedies: [] },
        ...boundTo(facts),
      ]
    case 'refused':
    case 'no-route':
      return [
        {
          ...about,
          level,
          message:
            level === 'ok'
              ? `nothing listens on this machine at port ${port}; the miner runs elsewhere, or dials out`
              : `nothing listens on this machine at port ${port}`,
          remedies: level === 'ok' ? [] : [start, 'or name the port on which it listens: arbor doctor net --port N'],
        },
      ]
    case 'other-hotkey':
      return [
        {
          ...about,
          level,
          message: `a process of Arbor listens at ${at}, but not the miner of this hotkey: ${local.detail}`,
          remedies: [
            'name the right hotkey with --wallet and --hotkey, or the right port with --port',
            'if the hotkey was registered anew, start its miner again',
          ],
        },
      ]
    default:
      return [
        {
          ...about,
          level,
          message: `another program holds port ${port} (${local.detail})`,
          remedies: [whoHolds(port), 'stop it, or let the miner take another port: arbor miner --port N'],
        },
      ]
  }
}

/** Judges whether the miner listens where those who dial the announced address arrive. */
const boundTo = (facts: Facts): readonly Finding[] => {
  const { listeners, announced, port } = facts
  if (listeners === null || announced === null || addressKind(announced.ip) === 'loopback') return []
  if (!listeners.every((ip) => addressKind(ip) === 'loopback')) return []
  return [
    {
      level: isOwn(facts, announced.ip) || facts.inside?.met !== 'right' ? 'bad' : 'warn',
      step: 'listening here',
      where: listeners.join(', '),
      message: `the miner listens on ${listeners.join(', ')} only, where no other machine arrives`,
      remedies: [announce(announced, port)],
    },
  ]
}
