import type { BlockRef, Metagraph } from '@arbor/chain/client/types'
import type { Alpha, Block, Hex } from '@arbor/shared/units'
import { asker, genesisHash, miner, netuid } from './exchange.ts'
import { metagraph, neuron } from './fixtures.ts'

export { asker, genesisHash, miner, netuid }

/** Hash of a block of the chain of these tests. */
export const hashOf = (block: number): Hex => `0x${block.toString(16).padStart(64, 'c')}`
export const headAt = (number: number): BlockRef => ({ number: number as Block, hash: hashOf(number) })

/** A subnet with the one miner of these tests; a round has 5 blocks, an epoch two rounds. */
export const metagraphOf = (): Metagraph =>
  metagraph({ neurons: [neuron({ uid: 4, hotkey: miner.address, registeredAt: 5, emission: 1_000_000n as Alpha })] })
