import { place, sameAddress } from './address-kind.ts'
import type { Facts } from './facts.ts'
import type { Finding } from './finding.ts'
import type { Seen } from './outside.ts'
import { announce, dialOut, forward, openFirewall } from './remedies.ts'

/** Judges what others saw when they dialled this machine back. */
export function diagnoseOutside(facts: Facts): readonly Finding[] {
  return facts.outside.map((one): Finding => {
    const about = { step: 'tried from outside', where: one.from } as const
    if (one.seen === null)
      return {
        ...about,
        level: 'warn',
        message: `${one.from} could not try it: ${one.why}`,
        remedies: ['ask another relay, or a validator that listens, with --from'],
      }
    return { ...about, ...judge(facts, one.seen) }
  })
}

const judge = (facts: Facts, seen: Seen): Pick<Finding, 'level' | 'message' | 'remedies'> => {
  const { announced, port } = facts
  const at = place({ ip: seen.address, port: seen.port })
  const isAnnounced = announced !== null && sameAddress(seen.address, announced.ip) && seen.port === announced.port
  if (seen.certificate === 'right') {
    if (isAnnounced)
      return { level: 'ok', message: `it reached the miner of this hotkey at ${at} in ${seen.ms} ms`, remedies: [] }
    return {
      level: 'bad',
      message: `it reached the miner of this hotkey at ${at}, where this machine's packets come from, but that is not what is announced`,
      remedies: [announce({ ip: seen.address, port: seen.port }, port)],
    }
  }
  if (!isAnnounced && announced !== null && facts.inside?.met === 'right')
    return {
      level: 'warn',
      message: `this machine's packets come from ${seen.address}, where the miner is not reached; ${place(announced)}, which is announced, it cannot try`,
      remedies: ['that is right behind a relay, or when packets leave another way than they come'],
    }
  if (seen.connected)
    return {
      level: 'bad',
      message: `it reached something at ${at} that is not the miner of this hotkey`,
      remedies: forward({ ip: seen.address, port: seen.port }, port),
    }
  const isRefused = seen.why === 'ECONNREFUSED'
  const remedies = [...forward({ ip: seen.address, port: seen.port }, port), dialOut]
  return {
    level: 'bad',
    message: `it cannot reach ${at} (${seen.why ?? 'no answer'}): ${isRefused ? 'nothing listens there, or the port is not forwarded' : 'a firewall or a router drops it'}`,
    remedies: isRefused ? remedies : [...openFirewall(seen.port, seen.address), ...remedies],
  }
}
