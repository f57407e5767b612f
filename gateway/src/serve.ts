import type { AddressInfo } from 'node:net'
import { aborted } from '@arbor/shared/aborted'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import type { FastifyInstance } from 'fastify'
import { type Listen, urlOf } from './options.ts'

/** How the end comes: first no more requests are taken, then those in flight are given up. */
export interface Stopping {
  readonly isStopping: () => boolean
  readonly stop: AbortSignal
}

/** Time that answers in flight have after the signal; containers get 10 s before they are killed. */
const DRAIN_MS = 8_000 as Ms

/**
 * Listens, serves until the signal or until a loop ends, and stops without cutting off answers that are nearly there.
 * @throws GATEWAY_PORT, or whatever ended a loop
 */
export const serve = async (
  of: {
    readonly listen: Listen
    readonly build: (stopping: Stopping) => FastifyInstance
    readonly onListening: (url: string) => void
    readonly onStopping: () => void
    /** Runs the loops until the signal; rejects when one ends before. */
    readonly supervise: (signal: AbortSignal) => Promise<void>
    readonly clock: Clock
  },
  signal: AbortSignal,
): Promise<void> => {
  const giveUp = new AbortController()
  const over = new AbortController()
  let isStopping = false
  const app = of.build({ isStopping: () => isStopping, stop: giveUp.signal })
  const loops = of.supervise(over.signal)
  const failed = loops.then(
    () => undefined,
    () => undefined,
  )
  try {
    const port = await listen(app, of.listen)
    of.onListening(urlOf({ ...of.listen, port }))
    await Promise.race([aborted(signal), failed])
  } finally {
    isStopping = true
    of.onStopping()
    await drain({ app, giveUp, clock: of.clock })
    over.abort()
    await failed
  }
  await loops
}

const listen = async (app: FastifyInstance, { host, port }: Listen): Promise<number> => {
  try {
    await app.listen({ host, port })
    return (app.server.address() as AddressInfo).port
  } catch (cause) {
    throw new SubnetError({
      code: 'GATEWAY_PORT',
      message: `cannot listen at ${urlOf({ host, port })}: ${cause instanceof Error ? cause.message : String(cause)}; name another place with --listen`,
      cause,
    })
  }
}

const drain = async (of: {
  readonly app: FastifyInstance
  readonly giveUp: AbortController
  readonly clock: Clock
}): Promise<void> => {
  const { app, giveUp, clock } = of
  const closed = new AbortController()
  const closing = app.close().finally(() => closed.abort())
  const late = clock.sleep(DRAIN_MS, closed.signal).then(
    async () => {
      giveUp.abort(new Error('the gateway stops'))
      await clock.sleep(500 as Ms, closed.signal).catch(() => undefined) // for the last words to be sent
      app.server.closeAllConnections()
    },
    () => undefined, // all were answered in time
  )
  await Promise.all([closing, late])
}
