import type { Clock } from '@arbor/shared/clock'
import type { Loop } from '@arbor/shared/supervise'
import type { Logger } from 'pino'
import { connectChain } from '../client/connect.ts'
import { developmentSecret } from './key.ts'
import { runBeacon } from './run.ts'

/** Rounds that the development beacon makes up for after a pause. */
const CATCH_UP = 256

/** Makes the loop that signs for a development chain in the chain's own process. @throws BEACON_OTHER_KEY from the loop */
export const developmentBeacon =
  (of: { readonly url: string; readonly clock: Clock; readonly log: Logger }): Loop =>
  async (signal) => {
    const chain = await connectChain({ ...of, signal, needs: ['beacon'] })
    try {
      await runBeacon({ chain, secret: developmentSecret(), catchUp: CATCH_UP, log: of.log }, signal)
    } finally {
      await chain.close()
    }
  }
