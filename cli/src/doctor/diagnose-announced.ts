import { isIP } from 'node:net'
import { type AddressKind, addressKind, place } from './address-kind.ts'
import { type Facts, isOwn, type Place } from './facts.ts'
import type { Finding } from './finding.ts'
import { announce, dialOut, forward, openFirewall, tryElsewhere } from './remedies.ts'

/** Judges the announced address, by itself and as dialled from this machine. */
export function diagnoseAnnounced(facts: Facts): readonly Finding[] {
  const { announced, port } = facts
  if (announced === null || announced.port === 0) {
    return [
      {
        level: 'bad',
        step: 'announced',
        where: `subnet ${facts.netuid}`,
        message: 'the chain announces no address for this hotkey',
        remedies: [announce({ ip: publicAddress(facts), port }, port), dialOut],
      },
    ]
  }
  return [...differs(facts, announced), ...kindOf(facts, announced), ...fromHere(facts, announced)]
}

/** What flags name is judged, and what the chain says beside it. */
const differs = ({ axon, isFromFlags, port }: Facts, announced: Place): readonly Finding[] => {
  if (!isFromFlags || (axon !== null && place(axon) === place(announced))) return []
  return [
    {
      level: 'warn',
      step: 'announced',
      where: place(announced),
      message: `the chain announces ${axon === null ? 'nothing' : place(axon)} yet`,
      remedies: [announce(announced, port)],
    },
  ]
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

const kindOf = (facts: Facts, announced: Place): readonly Finding[] => {
  const kind = addressKind(announced.ip)
  const about = { step: 'announced', where: place(announced) } as const
  if (kind === 'global') {
    const family = isIP(announced.ip)
    const hasFamily = facts.interfaces.some((ip) => isIP(ip) === family && addressKind(ip) !== 'loopback')
    const message = `${announced.ip} can be routed${isOwn(facts, announced.ip) ? ' and is an address of this machine' : ', and is not an address of this machine: a router, a container host or a relay passes it on'}`
    if (family === 4 || hasFamily) return [{ ...about, level: 'ok', message, remedies: [] }]
    const remedies = ['announce an IPv4 address with --external-ip, or give this machine an IPv6 address', dialOut]
    return [
      { ...about, level: 'bad', message: `${announced.ip} is IPv6, and this machine has no IPv6 address`, remedies },
    ]
  }
  const isEnough = facts.isDevelopment && (kind === 'loopback' || kind === 'private')
  const remedies =
    kind === 'carrier'
      ? [dialOut.replace('or do', 'do')]
      : [announce({ ip: publicAddress(facts), port: announced.port }, facts.port), dialOut]
  return [
    {
      ...about,
      level: isEnough ? 'ok' : 'bad',
      message: `${announced.ip} ${WHO_REACHES[kind]}${isEnough ? '; enough for a development chain on it' : ''}`,
      remedies: isEnough ? [] : remedies,
    },
  ]
}

/** Judges the dial from this machine; a router that does not send it back in (no hairpin) makes that a lie. */
const fromHere = (facts: Facts, announced: Place): readonly Finding[] => {
  const { inside, port, outside, local } = facts
  if (inside === null) return []
  const at = place(announced)
  const about = { step: 'tried from here', where: at } as const
  const own = isOwn(facts, announced.ip)
  const isSettled = outside.some(({ seen }) => seen?.certificate === 'right' && seen.address === announced.ip)
  switch (inside.met) {
    case 'right': {
      const isLocal = addressKind(announced.ip) === 'loopback' || outside.length > 0
      const doubt = own ? "; a firewall does not stop this machine's own packets" : ''
      const remedies = isLocal ? [] : [tryElsewhere(announced)]
      return [
        {
          ...about,
          level: 'ok',
          message: `the miner of this hotkey answers at ${at}, as dialled from this machine${isLocal ? '' : doubt}`,
          remedies,
        },
      ]
    }
    case 'dropped':
    case 'no-route':
      if (own)
        return [
          {
            ...about,
            level: 'bad',
            message: `no answer from ${at}: something drops packets (${inside.detail})`,
            remedies: openFirewall(announced.port, announced.ip),
          },
        ]
      return [
        {
          ...about,
          level: isSettled ? 'ok' : 'bad',
          message: `no answer from ${at} (${inside.detail}): it is not forwarded, a firewall drops it, or the router does not send packets from inside back in`,
          remedies: isSettled
            ? []
            : [tryElsewhere(announced), ...forward(announced, port), ...openFirewall(port, announced.ip), dialOut],
        },
      ]
    case 'refused':
      return [
        {
          ...about,
          level: isSettled ? 'ok' : 'bad',
          message: `the connection to ${at} is refused: nothing listens there${own ? '' : ', or the port is not forwarded'}`,
          remedies: isSettled
            ? []
            : own
              ? [announce(announced, local.met === 'right' ? port : announced.port)]
              : [...forward(announced, port), dialOut],
        },
      ]
    case 'other-hotkey':
      return [
        {
          ...about,
          level: 'bad',
          message: `a process of Arbor answers at ${at}, but not this hotkey's miner: ${inside.detail}`,
          remedies: own
            ? [announce(announced, port)]
            : [...forward(announced, port), 'announce the port that is forwarded to this miner: --external-port'],
        },
      ]
    default:
      return [
        {
          ...about,
          level: 'bad',
          message: `another program answers at ${at} (${inside.detail})`,
          remedies: own
            ? [announce({ ...announced, port }, port)]
            : [...forward(announced, port), 'announce the right address: --external-ip and --external-port'],
        },
      ]
  }
}

/** Finds an address to suggest: one of this machine's that can be routed, else a word. */
const publicAddress = ({ interfaces }: Facts): string =>
  interfaces.find((ip) => addressKind(ip) === 'global' && isIP(ip) === 4) ?? 'PUBLIC_ADDRESS'
