import { hostPort } from '@arbor/chain/address'
import { addressKind } from './address-kind.ts'
import { reachedBy } from './diagnose-outside.ts'
import { type Facts, isOwn, type Place, who } from './facts.ts'
import { type Finding, type Judgement, judgement } from './finding.ts'
import { announce, dialOut, forward, openFirewall, tryElsewhere } from './remedies.ts'

/** Judges the dial of the announced address from this machine, which a router that sends nothing back in makes a lie. */
export function diagnoseInside(facts: Facts): readonly Finding[] {
  const { inside, announced } = facts
  if (inside === null || announced === null) return []
  const judged = isOwn(facts, announced.ip) ? judgeOwn(facts, announced) : judgeForwarded(facts, announced)
  return [{ step: 'tried from here', where: hostPort(announced), ...judged }]
}

/** Judges an address of this machine: what is met there is on this machine. */
const judgeOwn = (facts: Facts, announced: Place): Judgement => {
  const { inside, local, port, outside } = facts
  const at = hostPort(announced)
  switch (inside?.met) {
    case 'right': {
      const isAll = addressKind(announced.ip) === 'loopback' || outside.length > 0
      const doubt = "; a firewall does not stop this machine's own packets, so this is no proof"
      const message = `${who(facts)} answers at ${at}, as dialled from this machine`
      return isAll
        ? judgement('ok', message)
        : { ...judgement('ok', message + doubt), remedies: [tryElsewhere(announced)] }
    }
    case 'dropped':
    case 'no-route':
      return judgement(
        'bad',
        `no answer from ${at}: something drops packets (${inside.detail})`,
        openFirewall(announced.port, announced.ip),
      )
    case 'refused':
      return judgement('bad', `the connection to ${at} is refused: nothing listens there`, [
        announce(facts, local.met === 'right' ? { ...announced, port } : announced),
      ])
    case 'other-hotkey':
      return judgement('bad', `a process of Arbor answers at ${at}, but not ${who(facts)}: ${inside.detail}`, [
        announce(facts, { ...announced, port }),
      ])
    default:
      return judgement('bad', `another program answers at ${at} (${inside?.detail})`, [
        announce(facts, { ...announced, port }),
      ])
  }
}

/** Judges an address of a router, a container host or a relay. */
const judgeForwarded = (facts: Facts, announced: Place): Judgement => {
  const { inside, port, outside } = facts
  const at = hostPort(announced)
  // Who tried it from outside knows better.
  const level = outside.some(({ seen }) => seen !== null && reachedBy(facts, seen)) ? 'ok' : 'bad'
  switch (inside?.met) {
    case 'right': {
      const remedies = outside.length > 0 ? [] : [tryElsewhere(announced)]
      return { ...judgement('ok', `${who(facts)} answers at ${at}, as dialled from this machine`), remedies }
    }
    case 'dropped':
    case 'no-route':
      return judgement(
        level,
        `no answer from ${at} (${inside.detail}): it is not forwarded, a firewall drops it, or the router does not send packets from inside back in`,
        [tryElsewhere(announced), ...forward(announced, port), ...openFirewall(port, announced.ip), ...dialOut(facts)],
      )
    case 'refused':
      return judgement(
        level,
        `the connection to ${at} is refused: nothing listens there, or the port is not forwarded`,
        [...forward(announced, port), ...dialOut(facts)],
      )
    case 'other-hotkey':
      return judgement('bad', `a process of Arbor answers at ${at}, but not ${who(facts)}: ${inside.detail}`, [
        ...forward(announced, port),
        'announce the port that is forwarded to this one: --external-port',
      ])
    default:
      return judgement('bad', `another program answers at ${at} (${inside?.detail})`, [
        ...forward(announced, port),
        'announce the right address: --external-ip and --external-port',
      ])
  }
}
