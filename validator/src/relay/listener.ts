import type { AxonInfo, Metagraph } from '@arbor/chain/client/types'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import { PROTOCOL_VERSION } from '@arbor/shared/protocol/limits'
import type { Block, Blocks, Ss58 } from '@arbor/shared/units'
import { startServing } from '../serving-thread.ts'
import { registrationsOf } from './follow.ts'
import { defaultRelayLimits } from './limits.ts'
import type { ListenerChange, ListenerData, ListenerPorts, ToListener } from './listener-messages.ts'

/** Bounds of a validator's own listener: only it asks here, all miners of a round at once. */
const LIMITS = { ...defaultRelayLimits, inFlight: 4_096, inFlightPerAddress: 4_096 }

/** The door of a validator for miners that dial it, in a thread of its own. */
export interface Listener {
  readonly port: number
  /**
   * Says where a miner is asked that holds a connection. One that left less than a tempo ago and announces no axon is asked there
   * too, in vain: else a miner could leave whenever it dislikes a question.
   */
  route(hotkey: Ss58): AxonInfo | null
  /** Takes the metagraph of a finalised head. */
  update(metagraph: Metagraph): void
  /** Resolves when the signal aborts. @throws LISTENER_ENDED when the thread ends before */
  run(signal: AbortSignal): Promise<void>
  /** Tells the miners and closes. */
  close(): Promise<void>
}

export interface ListenerDeps extends Omit<ListenerData, 'registrations' | 'limits'> {
  readonly metagraph: Metagraph
  readonly log: Logger
}

/** Who is connected, and in which block others left. */
interface State {
  metagraph: Metagraph
  readonly connected: Set<Ss58>
  readonly leftAt: Map<Ss58, Block>
}

/**
 * Starts to listen.
 * @throws RELAY_PORT_IN_USE, RELAY_ADDRESS, LISTENER_ENDED
 */
export const openListener = async ({ metagraph, log, ...settings }: ListenerDeps): Promise<Listener> => {
  const state: State = { metagraph, connected: new Set(), leftAt: new Map() }
  const data: ListenerData = { ...settings, registrations: registrationsOf(metagraph), limits: LIMITS }
  const url = new URL('./listener-thread.ts', import.meta.url)
  const { ready, worker, run, close } = await startServing<ListenerPorts, ListenerChange>({
    url,
    name: 'listener',
    workerData: data,
    log,
    onMessage: (message) => change(state, message),
    ended: (why, cause) =>
      new SubnetError({
        code: 'LISTENER_ENDED',
        message: `The thread that miners dial ended: ${why}; start the validator again and report this`,
        cause,
      }),
  })
  const tell = (message: ToListener): void => worker.postMessage(message)
  const { port, askPort } = ready
  const own: AxonInfo = { ip: '127.0.0.1', port: askPort, version: PROTOCOL_VERSION, protocol: AXON_PROTOCOL.ask }
  return {
    port,
    route: (hotkey) => (state.connected.has(hotkey) || leftLately(state, hotkey) ? own : null),
    update: (next) => {
      state.metagraph = next
      tell({ kind: 'registrations', ...registrationsOf(next) })
    },
    run,
    close: () => close({ kind: 'close' } satisfies ToListener),
  }
}

const change = (state: State, { hotkey, connected }: ListenerChange): void => {
  if (connected) {
    state.connected.add(hotkey)
    state.leftAt.delete(hotkey)
    return
  }
  state.connected.delete(hotkey)
  state.leftAt.set(hotkey, state.metagraph.block.number)
}

/** Tells whether a miner without an axon left less than a tempo ago; those who left before are forgotten. */
const leftLately = ({ metagraph, leftAt }: State, hotkey: Ss58): boolean => {
  const at = leftAt.get(hotkey)
  if (at === undefined) return false
  const age = (metagraph.block.number - at) as Blocks
  if (age > metagraph.tempo) leftAt.delete(hotkey)
  const neuron = metagraph.neurons.find((each) => each.hotkey === hotkey)
  return age <= metagraph.tempo && neuron !== undefined && neuron.axon === null
}
