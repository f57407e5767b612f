import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Neuron } from '@arbor/chain/client/types'
import {
  integerArgument,
  type NetworkOptions,
  netuidArgument,
  type WalletOptions,
  withJson,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { keyAccess } from '@arbor/chain/wallet/access'
import { openHotkey, readHotkeyPub } from '@arbor/chain/wallet/open'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import { openSession } from '@arbor/shared/protocol/session'
import { type NetUid, netUid, type Ss58 } from '@arbor/shared/units'
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { withChain } from '../chain.ts'
import { print } from '../output.ts'
import { place } from './address-kind.ts'
import { type Diagnosis, diagnose } from './diagnose.ts'
import { dialMiner } from './dial.ts'
import { gather, isOwn, type Known } from './facts.ts'
import { findingSchema } from './finding.ts'
import { listenersAt } from './listeners.ts'
import { askOutside, type Outside } from './outside.ts'

/** What `arbor doctor net` prints with --json. */
export const netSchema = z.object({
  netuid: z.number(),
  hotkey: z.string(),
  /** "address:port" that was judged; null when nothing is announced. */
  announced: z.string().nullable(),
  reachable: z.boolean(),
  /** Whether somebody else reached it; otherwise it was tried from this machine only. */
  provenFromOutside: z.boolean(),
  findings: z.array(findingSchema),
})

interface Options extends NetworkOptions, WalletOptions {
  readonly netuid: NetUid
  readonly port: number
  readonly externalIp?: string
  readonly externalPort?: number
  readonly from: readonly URL[]
}

/** Makes `arbor doctor`: says what is wrong and what mends it. */
export function doctorCommand(context: CommandContext): Command {
  const net = withJson(withNetwork(withWallet(new Command('net'), context)))
    .description("say whether a miner's announced address can be reached, and what mends it when not")
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--port <n>', 'the port on which the miner listens here', integerArgument(1, 65_535), 8_091)
    .option('--external-ip <address>', 'judge this address instead of the announced one', address)
    .option('--external-port <n>', 'judge this port instead of the announced one', integerArgument(1, 65_535))
    .option('--from <url>', 'let this relay, or validator that listens, dial back; may be given again', url, [])
    .action((options: Options) => checkNet(context, options))
  return new Command('doctor').description('find out what is wrong, and what mends it').addCommand(net)
}

async function checkNet(context: CommandContext, options: Options): Promise<void> {
  const { address: hotkey } = readHotkeyPub(options) // a missing key is told before any connection
  const { netuid } = options
  const { known, diagnosis } = await withChain(context, options.network, (chain) =>
    examine({ context, chain, options, hotkey }),
  )
  const { reachable, isProven, findings } = diagnosis
  const announced = known.announced === null ? null : place(known.announced)
  const value = { netuid, hotkey, announced, reachable, provenFromOutside: isProven, findings: [...findings] }
  print(context, { json: options.json, schema: netSchema, value, lines: linesOf(diagnosis, { hotkey, announced }) })
  if (reachable) return
  const worst = findings.find(({ level }) => level === 'bad')
  throw new SubnetError({
    code: 'NET_UNREACHABLE',
    message: `validators cannot reach ${announced ?? 'the miner'}: ${worst?.message ?? 'it was not seen to answer'}${worst?.remedies[0] === undefined ? '' : `; ${worst.remedies[0]}`}`,
    details: { hotkey, announced },
  })
}

interface Examined {
  readonly context: CommandContext
  readonly chain: ChainConnection
  readonly options: Options
  readonly hotkey: Ss58
}

async function examine(of: Examined): Promise<{ readonly known: Known; readonly diagnosis: Diagnosis }> {
  const { context, chain, options, hotkey } = of
  const self = await findSelf(of)
  const known = await knownOf(of, self)
  const genesisHash = fromHex(chain.genesisHash)
  const wanted = { hotkey, netuid: options.netuid, genesisHash, registeredAt: self.registeredAt }
  const { signal } = context
  const facts = await gather(known, {
    dial: (at) => dialMiner(at, { wanted, clock: systemClock, signal }),
    outside: (port) => fromOutside(of, { self, known, port, genesisHash }),
  })
  return { known, diagnosis: diagnose(facts) }
}

/** Finds the hotkey in the subnet. @throws HOTKEY_UNREGISTERED */
async function findSelf({ chain, options, hotkey }: Examined): Promise<Neuron> {
  const { neurons } = await chain.metagraph(options.netuid)
  const self = neurons.find((neuron) => neuron.hotkey === hotkey)
  if (self !== undefined) return self
  const { netuid, wallet, network } = options
  throw new SubnetError({
    code: 'HOTKEY_UNREGISTERED',
    message: `hotkey ${hotkey} is not registered in subnet ${netuid}; run: arbor register --netuid ${netuid} --wallet ${wallet} --hotkey ${options.hotkey} --network ${network}`,
  })
}

async function knownOf({ chain, options, hotkey }: Examined, { axon }: Neuron): Promise<Known> {
  const { netuid, port, externalIp, externalPort } = options
  const isFromFlags = externalIp !== undefined || externalPort !== undefined
  const ip = externalIp ?? axon?.ip
  return {
    netuid,
    hotkey,
    axon,
    announced:
      ip === undefined
        ? null
        : { ip, port: externalPort ?? (externalIp === undefined ? axon?.port : undefined) ?? port },
    isFromFlags,
    isDevelopment: (await chain.chainType()) === 'Development',
    port,
    interfaces: Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address)),
    listeners: listenersAt(port),
  }
}

/** Asks those whom --from names; only this takes the hotkey itself, which signs the question. */
async function fromOutside(
  { context, options }: Examined,
  of: { readonly self: Neuron; readonly known: Known; readonly port: number; readonly genesisHash: Uint8Array },
): Promise<readonly Outside[]> {
  if (options.from.length === 0) return []
  const session = await openSession({
    signer: await openHotkey(options, keyAccess(context, options)),
    purpose: 'serve',
    genesisHash: of.genesisHash,
    netuid: options.netuid,
    registeredAt: of.self.registeredAt,
    audience: null,
    issuedAt: systemClock.now(),
    randomBytes,
  })
  const { signal } = context
  const { announced } = of.known
  const source = announced !== null && isOwn(of.known, announced.ip) ? announced.ip : null
  return Promise.all(
    options.from.map((from) => askOutside({ from, port: of.port, source, session, clock: systemClock, signal })),
  )
}

const MARKS = { ok: 'ok   ', warn: 'note ', bad: 'wrong' } as const

/** Writes the diagnosis for a person. */
const linesOf = (
  { reachable, isProven, findings }: Diagnosis,
  { hotkey, announced }: { readonly hotkey: Ss58; readonly announced: string | null },
): readonly string[] => [
  `hotkey ${hotkey}, announced at ${announced ?? 'no address'}`,
  ...findings.flatMap(({ level, step, message, remedies }) => [
    `${MARKS[level]}  ${step}: ${message}`,
    ...remedies.map((remedy) => `         → ${remedy}`),
  ]),
  reachable
    ? `It can be reached${isProven ? ', as seen from outside.' : ' from this machine; from outside it was not tried (--from).'}`
    : 'It cannot be reached as it is.',
]

const address = (text: string): string => {
  if (isIP(text) === 0) throw new InvalidArgumentError('an IPv4 or IPv6 address is due, no name')
  return text
}

const url = (text: string, before: readonly URL[]): readonly URL[] => {
  const parsed = URL.parse(text)
  if (parsed === null || !/^(https?|wss?):$/.test(parsed.protocol))
    throw new InvalidArgumentError(`"${text}" is no URL of a relay, as http://192.0.2.1:9100`)
  return [...before, parsed]
}
