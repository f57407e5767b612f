import { hostPort } from '@arbor/chain/address'
import { sameAddress } from './address-kind.ts'
import { type Facts, who } from './facts.ts'
import { type Finding, type Judgement, judgement } from './finding.ts'
import type { Seen } from './outside.ts'
import { announce, dialOut, forward, openFirewall } from './remedies.ts'

/** Judges what others saw when they dialled this machine back. */
export function diagnoseOutside(facts: Facts): readonly Finding[] {
  return facts.outside.map((one): Finding => {
    const about = { step: 'tried from outside', where: one.from } as const
    if (one.seen !== null) return { ...about, ...judge(facts, one.seen) }
    const remedies = ['ask another relay, or a validator that listens, with --from']
    return { ...about, ...judgement('warn', `${one.from} could not try it: ${one.why}`, remedies) }
  })
}

/** Tells whether they reached it; a validator that listens answers, and has no certificate to show. */
export const reachedBy = ({ kind }: Pick<Facts, 'kind'>, { connected, certificate }: Seen): boolean =>
  connected && certificate === (kind === 'miner' ? 'right' : 'none')

const judge = (facts: Facts, seen: Seen): Judgement => {
  const { announced, port } = facts
  const tried = { ip: seen.address, port: seen.port }
  const at = hostPort(tried)
  const isAnnounced = announced !== null && sameAddress(seen.address, announced.ip) && seen.port === announced.port
  if (reachedBy(facts, seen)) {
    if (isAnnounced) return judgement('ok', `it reached ${who(facts)} at ${at} in ${seen.ms} ms`)
    const message = `it reached ${who(facts)} at ${at}, where this machine's packets come from, but that is not what is announced`
    return judgement('bad', message, [announce(facts, tried)])
  }
  if (!isAnnounced && announced !== null && facts.inside?.met === 'right')
    return judgement(
      'warn',
      `this machine's packets come from ${seen.address}, where it is not reached; ${hostPort(announced)}, which is announced, it cannot try`,
      ['that is right behind a relay, or when packets leave another way than they come'],
    )
  if (seen.connected)
    return judgement('bad', `it reached something at ${at} that is not ${who(facts)}`, forward(tried, port))
  const isRefused = seen.why === 'ECONNREFUSED'
  const why = isRefused ? 'nothing listens there, or the port is not forwarded' : 'a firewall or a router drops it'
  const rules = isRefused ? [] : openFirewall(seen.port, seen.address)
  return judgement('bad', `it cannot reach ${at} (${seen.why ?? 'no answer'}): ${why}`, [
    ...rules,
    ...forward(tried, port),
    ...dialOut(facts),
  ])
}
