import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { isLocalChain } from '@arbor/chain/address'
import type { ChainConnection } from '@arbor/chain/client/connect'
import type { AxonInfo, Neuron } from '@arbor/chain/client/types'
import type { NetworkOptions } from '@arbor/chain/options'
import { openHotkeySigner, type SignerOptions } from '@arbor/chain/signer/flags'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import { createLogger } from '@arbor/shared/log'
import { openSession } from '@arbor/shared/protocol/session'
import type { Signer } from '@arbor/shared/signer'
import type { NetUid, Ss58 } from '@arbor/shared/units'
import { type Diagnosis, diagnose } from './diagnose.ts'
import { dialMiner } from './dial.ts'
import { gather, isOwn, type Known } from './facts.ts'
import { listenersAt } from './listeners.ts'
import { askOutside, type Outside } from './outside.ts'

/** Options of `arbor doctor net`. */
export interface NetOptions extends NetworkOptions, SignerOptions {
  readonly netuid: NetUid
  readonly port: number
  readonly externalIp?: string
  readonly externalPort?: number
  readonly from: readonly URL[]
}

interface Examined {
  readonly context: CommandContext
  readonly chain: ChainConnection
  readonly options: NetOptions
  readonly hotkey: Ss58
  /** Opens the hotkey, once. */
  readonly sign: () => Promise<Signer>
}

/** Makes what opens the hotkey when it is asked for the first time: the wallet's, or that of a signer. */
export const signerOf = (context: CommandContext, options: NetOptions): (() => Promise<Signer>) => {
  const log = createLogger({ name: 'doctor', level: 'warn', destination: context.stderr })
  let opened: Promise<Signer> | undefined
  return () => {
    opened ??= openHotkeySigner({ context, options, clock: systemClock, log })
    return opened
  }
}

/** Reads the chain, dials, and judges. @throws HOTKEY_UNREGISTERED, and as openHotkey with --from */
export async function examine(of: Examined): Promise<{ readonly known: Known; readonly diagnosis: Diagnosis }> {
  const { context, chain, options, hotkey } = of
  const { self, doors } = await findSelf(of)
  const known = await knownOf(of, { self, doors })
  const genesisHash = fromHex(chain.genesisHash)
  const wanted = { kind: known.kind, hotkey, netuid: options.netuid, genesisHash, registeredAt: self.registeredAt }
  const { signal } = context
  const facts = await gather(known, {
    dial: (at) => dialMiner(at, { wanted, clock: systemClock, signal }),
    outside: (port) => fromOutside(of, { self, known, port, genesisHash }),
  })
  return { known, diagnosis: diagnose(facts) }
}

interface Subnet {
  readonly self: Neuron
  /** Where validators listen for miners that dial out. */
  readonly doors: readonly AxonInfo[]
}

/** Finds the hotkey in the subnet. @throws HOTKEY_UNREGISTERED */
async function findSelf({ chain, options, hotkey }: Examined): Promise<Subnet> {
  const { neurons } = await chain.metagraph(options.netuid)
  const self = neurons.find((neuron) => neuron.hotkey === hotkey)
  const doors = neurons.flatMap(({ axon }) => (axon?.protocol === AXON_PROTOCOL.dial ? [axon] : []))
  if (self !== undefined) return { self, doors }
  const { netuid, wallet, network } = options
  throw new SubnetError({
    code: 'HOTKEY_UNREGISTERED',
    message: `hotkey ${hotkey} is not registered in subnet ${netuid}; run: arbor register --netuid ${netuid} --wallet ${wallet} --hotkey ${options.hotkey} --network ${network}`,
  })
}

async function knownOf({ chain, options, hotkey }: Examined, { self: { axon }, doors }: Subnet): Promise<Known> {
  const { netuid, port, externalIp, externalPort } = options
  const isFromFlags = externalIp !== undefined || externalPort !== undefined
  const ip = externalIp ?? axon?.ip
  const kind = axon?.protocol === AXON_PROTOCOL.dial ? 'listener' : 'miner'
  return {
    netuid,
    hotkey,
    kind,
    doors: kind === 'miner' ? doors : [],
    axon,
    announced:
      ip === undefined
        ? null
        : { ip, port: externalPort ?? (externalIp === undefined ? axon?.port : undefined) ?? port },
    isFromFlags,
    isLocalChain: isLocalChain(chain),
    port,
    interfaces: Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address)),
    listeners: listenersAt(port),
  }
}

/** Asks those whom --from names; only this takes the hotkey itself, which signs the question. */
async function fromOutside(
  { context, options, sign }: Examined,
  of: { readonly self: Neuron; readonly known: Known; readonly port: number; readonly genesisHash: Uint8Array },
): Promise<readonly Outside[]> {
  if (options.from.length === 0) return []
  const session = await openSession({
    signer: await sign(),
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
