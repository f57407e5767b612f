// The arm Arbor of bench/epoch.ts: the shipped blob on V8, one call a process has warmed up for.
//   node bench/workers/epoch-arbor.ts _ UIDS VALIDATORS CALLS
import { readFileSync } from 'node:fs'
import { createExecutor } from '../../chain/src/embedded/runtime/executor.ts'
import { measureCalls } from './epoch-calls.ts'

const executor = await createExecutor({
  wasm: new Uint8Array(readFileSync(new URL('../../chain/artifacts/arbor_runtime.wasm', import.meta.url))),
})
await measureCalls(async (method, args) => executor.call(method, args).length)
