/** A call that the signer understands wholly: each argument, the subnets in it, and what it costs its signer at most. */
interface KnownCall {
  /** All arguments by metadata name, in order. */
  readonly args: readonly string[]
  /** Arguments that name subnets. */
  readonly netuids: readonly string[]
  /** Argument with the most rao that it can cost; null when it costs none. */
  readonly cost: string | null
}

const inSubnet = (...args: readonly string[]): KnownCall => ({
  args: ['netuid', ...args],
  netuids: ['netuid'],
  cost: null,
})
const axon = ['version', 'ip', 'port', 'ip_type', 'protocol', 'placeholder1', 'placeholder2'] as const

/**
 * Every call that a policy may allow, by its name in the metadata. Calls whose price has no bound of its own
 * (burned_register) or that carry other calls are left out on purpose: no policy can allow them.
 */
export const KNOWN_CALLS = {
  'SubtensorModule.set_weights': inSubnet('dests', 'weights', 'version_key'),
  'SubtensorModule.set_mechanism_weights': inSubnet('mecid', 'dests', 'weights', 'version_key'),
  'SubtensorModule.commit_weights': inSubnet('commit_hash'),
  'SubtensorModule.commit_mechanism_weights': inSubnet('mecid', 'commit_hash'),
  'SubtensorModule.reveal_weights': inSubnet('uids', 'values', 'salt', 'version_key'),
  'SubtensorModule.reveal_mechanism_weights': inSubnet('mecid', 'uids', 'values', 'salt', 'version_key'),
  'SubtensorModule.commit_timelocked_weights': inSubnet('commit', 'reveal_round', 'commit_reveal_version'),
  'SubtensorModule.commit_timelocked_mechanism_weights': inSubnet(
    'mecid',
    'commit',
    'reveal_round',
    'commit_reveal_version',
  ),
  'SubtensorModule.commit_crv3_mechanism_weights': inSubnet('mecid', 'commit', 'reveal_round'),
  'SubtensorModule.serve_axon': inSubnet(...axon),
  'SubtensorModule.serve_axon_tls': inSubnet(...axon, 'certificate'),
  'SubtensorModule.serve_prometheus': inSubnet('version', 'ip', 'port', 'ip_type'),
  'Commitments.set_commitment': inSubnet('info'),
  'SubtensorModule.register_limit': { ...inSubnet('hotkey', 'limit_price'), cost: 'limit_price' },
  'SubtensorModule.add_stake': {
    args: ['hotkey', 'netuid', 'amount_staked'],
    netuids: ['netuid'],
    cost: 'amount_staked',
  },
  'SubtensorModule.add_stake_limit': {
    args: ['hotkey', 'netuid', 'amount_staked', 'limit_price', 'allow_partial'],
    netuids: ['netuid'],
    cost: 'amount_staked',
  },
  'Balances.transfer_keep_alive': { args: ['dest', 'value'], netuids: [], cost: 'value' },
} as const satisfies Readonly<Record<string, KnownCall>>

export type KnownCallName = keyof typeof KNOWN_CALLS

/** Finds what the signer knows of a call; null when it is none that a policy may allow. */
export const knownCall = (name: string): KnownCall | null =>
  Object.hasOwn(KNOWN_CALLS, name) ? KNOWN_CALLS[name as KnownCallName] : null

const { keys } = Object
const starting = (...prefixes: readonly string[]): readonly string[] =>
  keys(KNOWN_CALLS).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))

/** Calls by which a neuron says where it is reached. */
export const SERVE_CALLS = starting('SubtensorModule.serve_')
/** Calls that set weights, at once or sealed. */
export const WEIGHT_CALLS = keys(KNOWN_CALLS).filter((name) => name.endsWith('_weights'))
