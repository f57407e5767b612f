import { setImmediate } from 'node:timers/promises'
import { SubnetError } from '@arbor/shared/errors'
import type { WorkerContext } from '../../src/contained/worker-context.ts'

export type TroubleJob =
  | { readonly kind: 'echo'; readonly value: unknown }
  | { readonly kind: 'count'; readonly to: number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'throw'; readonly code: string }
  | { readonly kind: 'bug' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'exit' }
  | { readonly kind: 'data' }
  | { readonly kind: 'function' }

/** Does what its job says, good or bad. */
export default async (
  job: TroubleJob,
  context: WorkerContext<{ readonly greeting: string }, number>,
): Promise<unknown> => {
  switch (job.kind) {
    case 'echo':
      return job.value
    case 'data':
      return context.workerData.greeting
    case 'function':
      return () => 1
    case 'count':
      for (let value = 0; value < job.to; value++) context.progress(value)
      return job.to
    case 'wait':
      context.progress(0)
      while (!context.signal.aborted) await setImmediate()
      context.progress(1)
      return 'stopped'
    case 'throw':
      throw new SubnetError({ code: job.code, message: 'refused', details: { value: 7 }, retryable: true })
    case 'bug':
      throw new TypeError('a bug')
    case 'abort':
      process.kill(process.pid, 'SIGABRT') // what a native library's abort does; process.abort is refused in threads
      return new Promise(() => undefined)
    case 'hang':
      context.progress(0)
      for (;;);
    case 'exit':
      return process.exit(3)
  }
}
