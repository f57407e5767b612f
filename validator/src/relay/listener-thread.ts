import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import type { FromListener, ListenerData, ToListener } from './listener-messages.ts'
import { type Relay, startRelay } from './relay.ts'

/** The listener's thread: whatever dials in takes no time of the validator's main loop, and its work none of an answer's. */

if (parentPort === null) throw new Error('the listener runs as a thread of the validator')
const parent = parentPort
const post = (message: FromListener): void => parent.postMessage(message)
const stop = new AbortController()

const start = async (data: ListenerData): Promise<Relay | null> => {
  try {
    return await startRelay({
      ...data,
      isOpen: false,
      probes: true,
      randomBytes,
      clock: systemClock,
      log: createLogger({
        name: 'listener',
        level: 'info',
        destination: { write: (line) => post({ kind: 'log', line }) },
      }),
      onChange: (hotkey, connected) => post({ kind: 'change', hotkey, connected }),
    })
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    post({ kind: 'failed', code: error.code, message: error.message })
    return null
  }
}

const relay = await start(workerData as ListenerData)
if (relay !== null) {
  const running = relay.run(stop.signal)
  parent.on('message', (message: ToListener) => {
    if (message.kind === 'registrations') return relay.update(message)
    stop.abort()
    void relay.close().then(() => parent.close())
  })
  post({ kind: 'ready', port: relay.port, askPort: relay.askPort })
  await running
}
