import { createRecordKeeper, readRecords } from '@arbor/chain/client/committed-record'
import { readMetagraph } from '@arbor/chain/client/metagraph'
import { toPlain } from '@arbor/chain/client/plain'
import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import { keypairFromUri } from '@arbor/shared/keys'
import { createManualClock } from '@arbor/shared/manual-clock'
import { encodeAnchor, readAnchor } from '@arbor/shared/tree-head'
import type { Block, Blocks, Hex } from '@arbor/shared/units'
import { basePrefix } from '@arbor/subnet-spec/finetune/records'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  awaitPermit,
  type Net,
  netuid,
  register,
  stake,
  startNet,
  validator,
} from '../../validator/test/weights/net.ts'
import { followRounds } from '../src/follow-rounds.ts'
import { putUpdate, putVote, readRoundRecords } from '../src/records.ts'
import type { RoundEvent } from '../src/types.ts'
import { hex32, training } from './support.ts'

const miner = keypairFromUri('//Bob//miner')
const never = new AbortController().signal
const base = hex32('the base')

let net: Net
let chain: Pick<ChainClient, 'blockHash' | 'commitments' | 'finalized' | 'heads' | 'metagraph' | 'read' | 'submit'>
beforeAll(async () => {
  net = await startNet()
  const refAt = async (hash: Hex | undefined): Promise<BlockRef> => {
    const block = hash === undefined ? net.chain.best() : net.chain.block(hash)
    return { number: (block?.header.number ?? 0) as Block, hash: hash ?? net.chain.best().hash }
  }
  chain = {
    blockHash: net.client.blockHash,
    finalized: net.client.finalized,
    submit: net.client.submit,
    metagraph: async (of, at) => readMetagraph(net.reader, of, await refAt(at)),
    commitments: async (of, hotkeys, at) => readRecords(net.reader, of, hotkeys, (await refAt(at)).hash),
    read: async (pallet, item, keys = [], at) =>
      toPlain((await net.reader.many([{ pallet, item, keys }], (await refAt(at)).hash))[0]),
    heads: () => {
      throw new Error('all blocks are there already')
    },
  }
  await register(net, [validator, miner])
  await stake(net, validator, 1_000)
  await awaitPermit(net, validator)
})
afterAll(() => net.close())

describe('records on a chain', () => {
  test('lead to the same plan for everybody, also when they are read much later', async () => {
    const { tempo } = (await net.snapshot()).metagraph
    const round = Math.floor(net.number() / tempo) + 1
    await net.reach(round * tempo)
    const ofMiner = createRecordKeeper({ chain, netuid, hotkey: miner })
    const ofValidator = createRecordKeeper({ chain, netuid, hotkey: validator })
    const commitment = {
      round,
      name: hex32('an update'),
      bytes: 5_700,
      base: basePrefix(base),
      url: 'http://203.0.113.9/u',
    }
    const committed = await net.drive(putUpdate(ofMiner, commitment, never))
    const anchor = { size: 7, root: hex32('log'), url: 'http://203.0.113.7:9800' }
    await net.drive(
      ofValidator.set({ isOwn: (raw) => readAnchor(raw) !== null, fields: [encodeAnchor(anchor)], signal: never }),
    )
    await net.reach(round * tempo + Math.floor(tempo * training.phases.publish) + 1)
    const uid = await net.uidOf(miner.address)
    await net.drive(putVote(ofValidator, { round, base, accepted: [uid] }, never))
    await net.reach((round + 1) * tempo)

    const { records } = await readRoundRecords({ chain, netuid, at: await chain.finalized() })
    expect(records.map(({ neuron, update, vote, url }) => [neuron.hotkey, update, vote, url])).toEqual([
      [validator.address, null, { round, base, accepted: [uid] }, anchor.url],
      [miner.address, commitment, null, ''],
    ])
    const events: RoundEvent[] = []
    const rounds = followRounds(
      {
        chain: { ...chain, heads: idle },
        netuid,
        clock: createManualClock(),
        warn: () => undefined,
        terms: training.phases,
        length: tempo as Blocks,
        roundsPerEpoch: 1,
      },
      { from: round, signal: never },
    )
    for await (const event of rounds) if (events.push(event) === 3) break
    expect(events.map(({ kind, isPast }) => [kind, isPast])).toEqual([
      ['start', true],
      ['published', true],
      ['voted', true],
    ])
    expect(events[1]).toMatchObject({
      commitments: [{ uid, hotkey: miner.address, commitment, block: committed.number }],
    })
    expect(events[2]).toMatchObject({
      plan: { round, base, merged: [{ uid, hotkey: miner.address, commitment }] },
      voters: [{ hotkey: validator.address, url: anchor.url }],
    })
  })

  test('withdraw an update in the very record that promised it', async () => {
    const keeper = createRecordKeeper({ chain, netuid, hotkey: miner })
    const withdrawn = { round: 99, name: hex32('none'), bytes: 0, base: basePrefix(base), url: '' }
    await net.drive(putUpdate(keeper, withdrawn, never))
    const { records } = await readRoundRecords({ chain, netuid, at: await chain.finalized() })
    expect(records.find(({ neuron }) => neuron.hotkey === miner.address)?.update).toEqual(withdrawn)
  })

  test('say what the chain did not take', async () => {
    const stranger = createRecordKeeper({ chain, netuid, hotkey: keypairFromUri('//Nobody') })
    const vote = putVote(stranger, { round: 1, base, accepted: [] }, never)
    await expect(net.drive(vote)).rejects.toMatchObject({ code: 'TRAINING_RECORD_REFUSED', retryable: true })
    const keeper = createRecordKeeper({ chain: { ...chain, read: full }, netuid, hotkey: miner })
    await expect(putVote(keeper, { round: 1, base, accepted: [] }, never)).rejects.toMatchObject({
      code: 'TRAINING_NO_SPACE',
    })
  })
})

/** Heads that never come: every block that is asked for is there. */
async function* idle(): AsyncGenerator<BlockRef> {
  await new Promise(() => undefined)
}

const full: ChainClient['read'] = async (_, item) => {
  if (item === 'UsedSpaceOf') return { last_epoch: 1n, used_space: 3_100n }
  if (item === 'CommitmentOf') return null
  return item === 'MaxSpace' ? 3_100n : 1n
}

describe('a chain that keeps few states', () => {
  test('refuses a round whose facts are gone, and says what to do', async () => {
    const pruning = await startNet({ keep: 8 })
    const refused = readRoundRecords({
      chain: {
        metagraph: async (of, at) => readMetagraph(pruning.reader, of, { number: 1 as Block, hash: at as Hex }),
        commitments: async (of, hotkeys, at) => readRecords(pruning.reader, of, hotkeys, at as Hex),
      },
      netuid,
      at: { number: 1 as Block, hash: await first(pruning) },
    })
    await expect(refused).rejects.toMatchObject({ code: 'TRAINING_STATE_PRUNED', details: { block: 1 } })
    await pruning.close()
  })
})

const first = async (of: Net): Promise<Hex> => {
  await of.blocks(30)
  return (await of.client.blockHash(1 as Block)) as Hex
}
