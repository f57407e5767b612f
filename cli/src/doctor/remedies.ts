import { isIP } from 'node:net'
import { place } from './address-kind.ts'
import type { Place } from './facts.ts'

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

/** Says how a miner does without an open port. */
export const dialOut = 'or do without an open port: arbor miner --dial validators, or --dial URL of a relay'

/** Says how the miner is told what to announce. */
export const announce = ({ ip, port }: { readonly ip: string; readonly port: number }, listensAt: number): string =>
  `arbor miner --ip ${isIP(ip) === 6 ? '::' : '0.0.0.0'} --port ${listensAt} --external-ip ${ip}${port === listensAt ? '' : ` --external-port ${port}`}`

/** Says how to see which program holds a port. */
export const whoHolds = (port: number): string => `see which program it is: sudo ss -ltnp 'sport = :${port}'`

/** Says how to try an address from elsewhere. */
export const tryElsewhere = (at: Place): string =>
  `try it from outside: arbor doctor net --from URL of a relay, or on another machine: curl -m 4 http://${place(at)}/`
