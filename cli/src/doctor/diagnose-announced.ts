import { isIP } from 'node:net'
import { hostPort, refusalOf } from '@arbor/chain/address'
import { type AddressKind, addressKind } from './address-kind.ts'
import { type Facts, isOwn, type Place } from './facts.ts'
import { type Finding, type Judgement, judgement } from './finding.ts'
import { announce, dialOut, publicAddress } from './remedies.ts'

/** Judges the announced address by itself. */
export function diagnoseAnnounced(facts: Facts): readonly Finding[] {
  const { announced, port, held } = facts
  const step = 'announced' as const
  if (announced !== null && announced.port !== 0) {
    const where = hostPort(announced)
    return [...differs(facts, announced), judgeKind(facts, announced)].map((one) => ({ step, where, ...one }))
  }
  const isHeld = held.some(({ met }) => met === 'right')
  const message = 'the chain announces no address for this hotkey'
  const remedies = [announce(facts, { ip: publicAddress(facts), port }), ...dialOut(facts)]
  return [{ step, where: `subnet ${facts.netuid}`, ...judgement(isHeld ? 'ok' : 'bad', message, remedies) }]
}

/** What flags name is judged, and what the chain says beside it. */
const differs = (facts: Facts, announced: Place): readonly Judgement[] => {
  const { axon, isFromFlags } = facts
  if (!isFromFlags || (axon !== null && hostPort(axon) === hostPort(announced))) return []
  const message = `the chain still announces ${axon === null ? 'nothing' : hostPort(axon)}`
  return [judgement('warn', message, [announce(facts, announced)])]
}

const WHO_REACHES: Readonly<Record<Exclude<AddressKind, 'global'>, string>> = {
  unspecified: 'is no address that can be dialled',
  loopback: 'is loopback: on every machine it means that machine itself',
  private: 'is private: only this local network reaches it',
  carrier:
    "is a provider's shared address (100.64.0.0/10): no one outside that provider reaches it, and no router of yours can forward to it",
  'link-local': 'is link-local: only the same cable or radio cell reaches it',
  reserved: 'is reserved: no machine has it',
}

const judgeKind = (facts: Facts, announced: Place): Judgement => {
  const { ip, port } = announced
  const kind = addressKind(ip)
  const refusal = refusalOf(announced, facts.isLocalChain)
  if (kind === 'global' && refusal === null) return judgeGlobal(facts, ip)
  const isEnough = refusal === null
  const why = kind === 'global' ? `is not dialled by validators: ${refusal}` : WHO_REACHES[kind]
  const message = `${ip} ${why}${isEnough ? ', which is enough for a chain that is there as well' : ''}`
  const other = announce(facts, { ip: publicAddress(facts), port })
  const remedies =
    kind === 'carrier' && facts.kind === 'miner'
      ? dialOut(facts).map((one) => one.replace(/^or /, ''))
      : [other, ...dialOut(facts)]
  return judgement(isEnough ? 'ok' : 'bad', message, remedies)
}

const judgeGlobal = (facts: Facts, ip: string): Judgement => {
  const family = isIP(ip)
  const hasFamily = facts.interfaces.some((own) => isIP(own) === family && addressKind(own) !== 'loopback')
  if (family === 6 && !hasFamily)
    return judgement('bad', `${ip} is IPv6, and this machine has no IPv6 address`, [
      'announce an IPv4 address with --external-ip, or give this machine an IPv6 address',
      ...dialOut(facts),
    ])
  const whose = isOwn(facts, ip)
    ? 'and is an address of this machine'
    : 'and is not an address of this machine: a router, a container host or a relay passes it on'
  return judgement('ok', `${ip} can be routed, ${whose}`)
}
