/**
 * Serves the synapses of the table in docs/bittensor.md to any dendrite of Bittensor 10.x, on 127.0.0.1.
 * Usage: serve.ts [--port 8091] [--uri //Bob]. Prints one line of JSON when it serves; ends at SIGINT or SIGTERM.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { createLogger, LOG_LEVELS } from '@arbor/shared/log'
import { startArborAxon } from './support/arbor-axon.ts'

const USAGE = 'usage: serve.ts [--port 8091] [--uri //Bob] [--log-level silent]'

try {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8091' },
      uri: { type: 'string', default: '//Bob' },
      'log-level': { type: 'string', default: 'silent' },
    },
  })
  const port = Number(values.port)
  const level = LOG_LEVELS.find((one) => one === values['log-level'])
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || level === undefined) throw new Error(USAGE)
  const axon = await startArborAxon({ port, uri: values.uri, log: createLogger({ name: 'serve', level }) })
  process.stdout.write(`${JSON.stringify({ ready: true, port: axon.port, hotkey: axon.hotkey })}\n`)
  const stop = (): void => void axon.close()
  process.once('SIGINT', stop).once('SIGTERM', stop)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
