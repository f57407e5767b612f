import { isIP } from 'node:net'
import { hostPort } from '@arbor/chain/address'
import { addressKind } from './address-kind.ts'
import type { Known, Place } from './facts.ts'

/** Says how this machine's firewall is opened for a port, for the usual ones. */
export const openFirewall = (port: number, ip: string): readonly string[] => [
  `sudo ufw allow ${port}/tcp`,
  `or: sudo ${isIP(ip) === 6 ? 'ip6tables' : 'iptables'} -I INPUT -p tcp --dport ${port} -j ACCEPT`,
  `or: sudo nft insert rule inet filter input tcp dport ${port} accept`,
  `at a cloud provider, also let its security group or network firewall take TCP ${port} from anywhere`,
]

/** Says how a router or a container passes an announced port on. */
export const forward = (announced: Place, port: number): readonly string[] => [
  `let the router forward TCP ${announced.port} to this machine's port ${port}`,
  `in a container: docker run -p ${announced.port}:${port}`,
]

/** Says how a miner does without an open port; a validator that listens has no other way. */
export const dialOut = ({ kind }: Pick<Known, 'kind'>): readonly string[] =>
  kind === 'miner' ? ['or do without an open port: arbor miner --dial validators, or --dial URL of a relay'] : []

/** Says what to run so that an address is announced, and listened on. */
export const announce = ({ kind, port }: Pick<Known, 'kind' | 'port'>, at: Place): string => {
  const isLocal = addressKind(at.ip) === 'loopback'
  const every = isLocal ? at.ip : isIP(at.ip) === 6 ? '::' : '0.0.0.0'
  const external = isLocal ? '' : ` --external-ip ${at.ip}`
  if (kind === 'listener') return `arbor validator --listen ${hostPort({ ip: every, port: at.port })}${external}`
  return `arbor miner --ip ${every} --port ${port}${external}${at.port === port ? '' : ` --external-port ${at.port}`}`
}

/** Says which flag names another port. */
export const otherPort = ({ kind }: Pick<Known, 'kind'>): string =>
  kind === 'miner' ? 'arbor miner --port N' : 'arbor validator --listen N'

/** Says how to see which program holds a port. */
export const whoHolds = (port: number): string => `see which program it is: sudo ss -ltnp 'sport = :${port}'`

/** Says how to try an address from elsewhere. */
export const tryElsewhere = (at: Place): string =>
  `try it from outside: arbor doctor net --from URL of a relay, or on another machine: curl -m 4 http://${hostPort(at)}/health`

/** Finds an address to suggest: one of this machine's that can be routed, else a word. */
export const publicAddress = ({ interfaces }: Pick<Known, 'interfaces'>): string =>
  interfaces.find((ip) => addressKind(ip) === 'global' && isIP(ip) === 4) ?? 'PUBLIC_ADDRESS'
