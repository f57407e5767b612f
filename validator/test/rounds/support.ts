import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Blocks, Hex, NetUid, Uid, UnixMs } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import type { Answer } from '../../src/dendrite/answer.ts'
import { type Ledger, openLedger } from '../../src/ledger.ts'
import { minersOf } from '../../src/plan.ts'
import type { Receipt } from '../../src/receipts.ts'
import type { RoundDeps } from '../../src/rounds/run.ts'
import { type RoundTerms, specMark } from '../../src/rounds/runs.ts'
import { metagraph, neuron } from '../fixtures.ts'

export const keys = {
  me: keypairFromUri('//me').address,
  a: keypairFromUri('//a').address,
  b: keypairFromUri('//b').address,
  silent: keypairFromUri('//silent').address,
  fresh: keypairFromUri('//fresh').address,
}
export const axon = { ip: '127.0.0.2', port: 8091, version: 1, protocol: 4 }
export const graph = metagraph({
  neurons: [
    neuron({ uid: 0, hotkey: keys.me, axon }),
    neuron({ uid: 1, hotkey: keys.a, axon }),
    neuron({ uid: 2, hotkey: keys.silent }),
    neuron({ uid: 3, hotkey: keys.b, axon }),
  ],
})
/** An answer that a judge of the test says something about. */
export const answered: Extract<Answer, { kind: 'answered' }> = {
  kind: 'answered',
  body: Buffer.from('{"text":"x"}'),
  timing: { totalMs: 7, firstByteMs: 5, connectMs: 1, lagMs: 0, lagged: false, deadlineMs: 100 },
  signed: true,
  binding: `0x${'b1'.repeat(32)}`,
  answerHash: `0x${'a1'.repeat(32)}`,
  evidence: { protocol: 'bittensor', signedText: 'text', signature: '0x00' },
}
export const never = new AbortController().signal
const owner = { genesisHash: '0xaa' as Hex, netuid: 1 as NetUid, hotkey: keys.me }

/** A round of the graph's block. */
export const termsOf = (of: { readonly block: number; readonly length?: number }): RoundTerms => ({
  roundBlock: of.block as Block,
  blockHash: graph.block.hash,
  round: of.block / (of.length ?? 5),
  length: (of.length ?? 5) as Blocks,
  tempo: 10 as Blocks,
  spec: specMark(inference),
  miners: 2,
})

export const begin = (ledger: Ledger, terms: RoundTerms = termsOf({ block: 100 })): void =>
  ledger.beginRound({ ...terms, state: 'planned', at: 1 as UnixMs })

/** A round of two miners that answer at once, well judged, and the first block after them. */
export const setUp = (over: Partial<RoundDeps> = {}) => {
  const ledger = openLedger({ owner })
  const written: Receipt[] = []
  const deps: RoundDeps = {
    spec: inference,
    ledger,
    receipts: { write: (receipt) => void written.push(receipt) },
    self: keys.me,
    genesisHash: `0x${'9e'.repeat(32)}`,
    netuid: 1 as NetUid,
    threads: 1,
    chain: {
      best: async () => ({ number: 103 as Block, hash: `0x${'67'.repeat(32)}` }),
      finalized: async () => ({ number: 101 as Block, hash: `0x${'65'.repeat(32)}` }),
    },
    drawBlock: async (after) => ({ number: (after + 1) as Block, hash: `0x${'d4'.repeat(32)}` }),
    miners: async () => minersOf({ metagraph: graph, self: keys.me }),
    clock: createManualClock(5_000),
    log: createLogger({ name: 'test', level: 'silent' }),
    ask: async () => answered,
    judge: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
    ...over,
  }
  return { deps, ledger, written }
}

export const uid = (of: number): Uid => of as Uid
