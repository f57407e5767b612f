import { parentPort } from 'node:worker_threads'
import { isRight, type Signed } from './signature.ts'

/** Signatures answered together: an answer costs a wake-up of the main thread. */
const SLICE = 32

parentPort?.on('message', (batch: readonly (readonly [number, Signed])[]) => {
  for (let from = 0; from < batch.length; from += SLICE) {
    parentPort?.postMessage(batch.slice(from, from + SLICE).map(([number, signed]) => [number, isRight(signed)]))
  }
})
