import type { Logger } from '@arbor/shared/log'
import type { Hex } from '@arbor/shared/units'
import type { EmbeddedChain, StoredBlock } from '../embedded/types.ts'
import type { TransactionPool } from '../pool/types.ts'
import type { ChainReads } from './reads.ts'

/** Answers one request; what it throws goes to the caller as an error. */
export type Method = (params: readonly unknown[]) => unknown

/** Ends what was started. */
export type Stop = () => void

/** A named answer that comes again and again until the caller ends it. */
export interface SubscriptionMethod {
  readonly notification: string
  readonly unsubscribe: string
  /** Starts and gives what ends it. `send` may be called at once: the caller learns the id first. */
  readonly start: (params: readonly unknown[], send: (result: unknown) => void) => Stop | Promise<Stop>
}

/** Makes blocks on request. */
export interface BlockMaker {
  create(of: { readonly empty: boolean; readonly finalize: boolean }): Promise<StoredBlock | null>
  finalize(hash: Hex): boolean
}

/** What the network is called and how its amounts are shown. */
export interface ChainIdentity {
  readonly name: string
  readonly type: 'Development' | 'Local'
  readonly version: string
}

export interface MethodDeps {
  readonly chain: EmbeddedChain
  readonly reads: ChainReads
  readonly pool: TransactionPool
  readonly identity: ChainIdentity
  /** Null where blocks come by themselves. */
  readonly maker: BlockMaker | null
  /** Serves the methods that change the chain for the sake of clients' tests; for this machine only. */
  readonly forTests?: boolean
  readonly log: Logger
}
