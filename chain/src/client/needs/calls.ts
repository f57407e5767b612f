import type { Feature, Shape } from './features.ts'

/** A call that Arbor makes. */
export interface CallNeed {
  /** All arguments by name; the order is the metadata's affair. */
  readonly args: Readonly<Record<string, Shape>>
  readonly for: readonly Feature[]
  /** What is done where the chain has no such call; it is required without this. */
  readonly without?: string
}

const weights = { dests: 'Vec<u16>', weights: 'Vec<u16>', version_key: 'u64' } as const
const opened = { uids: 'Vec<u16>', values: 'Vec<u16>', salt: 'Vec<u16>', version_key: 'u64' } as const
const sealed = { commit: 'bytes', reveal_round: 'u64', commit_reveal_version: 'u16' } as const
const setting = <const A extends string>(argument: A, shape: Shape) => ({
  args: { netuid: 'u16', [argument]: shape } as { readonly netuid: 'u16' } & Readonly<Record<A, Shape>>,
  for: ['settings'] as const,
})

/** Every call that Arbor makes, by its name in the metadata. */
export const callNeeds = {
  'SubtensorModule.set_weights': { args: { netuid: 'u16', ...weights }, for: ['weights'] },
  'SubtensorModule.set_mechanism_weights': { args: { netuid: 'u16', mecid: 'u8', ...weights }, for: ['mechanisms'] },
  'SubtensorModule.commit_weights': { args: { netuid: 'u16', commit_hash: '[u8;32]' }, for: ['salted'] },
  'SubtensorModule.commit_mechanism_weights': {
    args: { netuid: 'u16', mecid: 'u8', commit_hash: '[u8;32]' },
    for: ['mechanisms'],
  },
  'SubtensorModule.reveal_weights': { args: { netuid: 'u16', ...opened }, for: ['salted'] },
  'SubtensorModule.reveal_mechanism_weights': { args: { netuid: 'u16', mecid: 'u8', ...opened }, for: ['mechanisms'] },
  'SubtensorModule.commit_timelocked_weights': { args: { netuid: 'u16', ...sealed }, for: ['timelocked'] },
  'SubtensorModule.commit_timelocked_mechanism_weights': {
    args: { netuid: 'u16', mecid: 'u8', ...sealed },
    for: ['mechanisms'],
  },
  'SubtensorModule.serve_axon': {
    args: {
      netuid: 'u16',
      version: 'u32',
      ip: 'u128',
      port: 'u16',
      ip_type: 'u8',
      protocol: 'u8',
      placeholder1: 'u8',
      placeholder2: 'u8',
    },
    for: ['serve'],
  },
  'SubtensorModule.burned_register': { args: { netuid: 'u16', hotkey: 'AccountId' }, for: ['register', 'local'] },
  'SubtensorModule.register_limit': {
    args: { netuid: 'u16', hotkey: 'AccountId', limit_price: 'u64' },
    for: ['register'],
    without: 'burned_register is called, which has no limit of its own',
  },
  'SubtensorModule.register_network': { args: { hotkey: 'AccountId' }, for: ['subnet'] },
  'SubtensorModule.start_call': { args: { netuid: 'u16' }, for: ['subnet'] },
  'SubtensorModule.add_stake': {
    args: { hotkey: 'AccountId', netuid: 'u16', amount_staked: 'u64' },
    for: ['stake'],
  },
  'SubtensorModule.remove_stake': {
    args: { hotkey: 'AccountId', netuid: 'u16', amount_unstaked: 'u64' },
    for: ['stake'],
  },
  'Commitments.set_commitment': {
    args: { netuid: 'u16', info: { fields: 'Vec<Data>' } },
    for: ['commitments'],
  },
  'Balances.transfer_keep_alive': { args: { dest: 'MultiAddress', value: 'u64' }, for: ['transfer'] },
  'Drand.write_pulse': {
    args: {
      pulses_payload: {
        block_number: 'u32',
        pulses: 'Vec<{round:u64,randomness:bytes,signature:bytes}>',
        public: 'MultiSigner',
      },
      signature: 'Option<MultiSignature>',
    },
    for: ['beacon'],
  },
  'Utility.batch_all': { args: { calls: 'Vec<Call>' }, for: ['settings', 'local'] },
  'Sudo.sudo': { args: { call: 'Call' }, for: ['local'] },
  'AdminUtils.sudo_set_tempo': setting('tempo', 'u16'),
  'AdminUtils.sudo_set_commit_reveal_weights_enabled': setting('enabled', 'bool'),
  'AdminUtils.sudo_set_weights_set_rate_limit': setting('weights_set_rate_limit', 'u64'),
  'AdminUtils.sudo_set_serving_rate_limit': setting('serving_rate_limit', 'u64'),
  'AdminUtils.sudo_set_immunity_period': setting('immunity_period', 'u16'),
  'AdminUtils.sudo_set_min_allowed_weights': setting('min_allowed_weights', 'u16'),
  'AdminUtils.sudo_set_weights_version_key': setting('weights_version_key', 'u64'),
  'AdminUtils.sudo_set_network_registration_allowed': setting('registration_allowed', 'bool'),
} as const satisfies Record<`${string}.${string}`, CallNeed>

export type CallName = keyof typeof callNeeds
export type CallArgs<N extends CallName> = Readonly<Record<keyof (typeof callNeeds)[N]['args'], unknown>>
