import { adminSet, batchAll, sudo } from '@arbor/chain/client/calls'
import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Call } from '@arbor/chain/client/types'
import {
  type NetworkOptions,
  netuidArgument,
  type WalletOptions,
  withJson,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { keyAccess } from '@arbor/chain/wallet/access'
import { openColdkey, readColdkeyPub } from '@arbor/chain/wallet/open'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid } from '@arbor/shared/units'
import { Argument, Command } from 'commander'
import { z } from 'zod'
import { mustSucceed, withChain } from './chain.ts'
import { mustBeDev } from './faucet.ts'
import { print } from './output.ts'

/** A hyperparameter by the name it has here: the chain's setter, its argument, and what a value may be. */
const rules = {
  tempo: { parameter: 'tempo', argument: 'tempo', kind: 'number' },
  'commit-reveal': { parameter: 'commit_reveal_weights_enabled', argument: 'enabled', kind: 'switch' },
  'weights-rate-limit': { parameter: 'weights_set_rate_limit', argument: 'weights_set_rate_limit', kind: 'number' },
  'serving-rate-limit': { parameter: 'serving_rate_limit', argument: 'serving_rate_limit', kind: 'number' },
  'immunity-period': { parameter: 'immunity_period', argument: 'immunity_period', kind: 'number' },
  'min-allowed-weights': { parameter: 'min_allowed_weights', argument: 'min_allowed_weights', kind: 'number' },
  'version-key': { parameter: 'weights_version_key', argument: 'weights_version_key', kind: 'number' },
  registration: { parameter: 'network_registration_allowed', argument: 'registration_allowed', kind: 'switch' },
} as const
type Rule = keyof typeof rules

/** What a subnet needs for its miners to earn within a minute of 1-second blocks; the reference's defaults take hours. */
const devRules: readonly (readonly [Rule, number | boolean])[] = [
  ['tempo', 10],
  ['commit-reveal', false], // weights are set openly in this version
  ['weights-rate-limit', 2],
  ['serving-rate-limit', 1],
]

/** Gives a new subnet of a development chain the rules of its first one, with the chain's own sudo key. @returns what was set */
export async function setDevRules(context: CommandContext, chain: ChainConnection, netuid: NetUid): Promise<string> {
  const calls = devRules.map(([rule, value]) => sudo(setRule(netuid, rule, value)))
  const signer = keypairFromUri('//Alice')
  mustSucceed(
    'setting the rules of a development subnet',
    await chain.submit(batchAll(calls), { signer, signal: context.signal }),
  )
  return devRules
    .map(([rule, value]) => `${rule} ${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`)
    .join(', ')
}

const setRule = (netuid: NetUid, rule: Rule, value: number | boolean): Call => {
  const { parameter, argument } = rules[rule]
  return adminSet(parameter, { netuid, [argument]: value })
}

/** What `arbor subnet set` prints with --json. */
export const subnetRuleSchema = z.object({
  netuid: z.number(),
  rule: z.string(),
  value: z.union([z.number(), z.boolean()]),
  block: z.number(),
})

interface Options extends NetworkOptions, WalletOptions {
  readonly asRoot?: boolean
}

/** Makes `arbor subnet set`: changes a rule of a subnet, as its owner or, on development chains, as root. */
export function setCommand(context: CommandContext): Command {
  const command = withJson(withNetwork(withWallet(new Command('set'), context)))
    .description('change a rule of a subnet as its owner')
    .argument('<netuid>', 'the subnet', netuidArgument)
    .addArgument(new Argument('<rule>', 'the rule').choices(Object.keys(rules)))
    .argument('<value>', 'a number, or on / off')
    .option('--as-root', "sign with the development chain's sudo key, for rules that are root's to change")
    .action((netuid: NetUid, rule: Rule, text: string, options: Options) =>
      withChain(context, options.network, (chain) =>
        change(context, chain, { netuid, rule, value: ruleValue(rule, text), options }),
      ),
    )
  command.hook('preAction', (_, action) => {
    const options = action.opts<Options>()
    if (options.asRoot !== true) readColdkeyPub(options)
  })
  return command
}

function ruleValue(rule: Rule, text: string): number | boolean {
  if (rules[rule].kind === 'switch' && (text === 'on' || text === 'off')) return text === 'on'
  if (rules[rule].kind === 'number' && /^\d{1,15}$/.test(text)) return Number(text)
  throw new SubnetError({
    code: 'RULE_VALUE',
    message: `"${text}" is no value of ${rule}; give ${rules[rule].kind === 'switch' ? 'on or off' : 'a whole number'}`,
  })
}

async function change(
  context: CommandContext,
  chain: ChainConnection,
  of: { readonly netuid: NetUid; readonly rule: Rule; readonly value: number | boolean; readonly options: Options },
): Promise<void> {
  const { netuid, rule, value, options } = of
  await chain.hyperparameters(netuid) // says CHAIN_NO_SUBNET before anything is signed
  if (options.asRoot) await mustBeDev(chain)
  const call = setRule(netuid, rule, value)
  const signed = options.asRoot
    ? { call: sudo(call), signer: keypairFromUri('//Alice') }
    : { call, signer: await openColdkey(options, keyAccess(context, options)) }
  const submission = await chain.submit(signed.call, { signer: signed.signer, signal: context.signal })
  const { block } = mustSucceed(`setting ${rule} of subnet ${netuid}`, submission)
  print(context, {
    json: options.json,
    schema: subnetRuleSchema,
    value: { netuid, rule, value, block: block.number },
    lines: [
      `${rule} of subnet ${netuid} is ${typeof value === 'boolean' ? (value ? 'on' : 'off') : value} since block ${block.number}`,
    ],
  })
}
