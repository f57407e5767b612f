// Makes blocks as fast as it can in the folder that it is given, and says each one, until it is killed.
import { readFileSync } from 'node:fs'
import pino from 'pino'
import { startEmbeddedChain } from '../../../chain/src/embedded/start.ts'
import { systemClock } from '../../../shared/src/clock.ts'

const [, , data = ''] = process.argv

try {
  const chain = await startEmbeddedChain({
    wasm: new Uint8Array(readFileSync(new URL('../../../chain/artifacts/arbor_runtime.wasm', import.meta.url))),
    data,
    mode: { kind: 'manual' },
    clock: systemClock,
    source: { ready: () => [], onBlock: () => undefined },
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
  })
  process.stdout.write(`open ${chain.best().header.number} ${chain.best().hash}\n`)
  for (;;) {
    const { header, hash } = await chain.produce()
    process.stdout.write(`block ${header.number} ${hash}\n`)
    await new Promise((resolve) => setImmediate(resolve))
  }
} catch (error) {
  process.stdout.write(`refused ${error instanceof Error && 'code' in error ? error.code : error}\n`)
}
