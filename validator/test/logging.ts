import { createHash } from 'node:crypto'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { type SignedHead, type TreeHead, treeHeadBytes } from '@arbor/shared/tree-head'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { LogEntry, TermsEntry } from '../src/log/entry.ts'
import type { LogOwner } from '../src/log/heads.ts'
import type { ScoreState } from '../src/scoring/rules.ts'

/** The validator whose log the tests write. */
export const logKey: Keypair = keypairFromUri('//Alice')
const miners = ['//Bob', '//Charlie', '//Dave'].map((uri) => keypairFromUri(uri).address)

export const hex32 = (text: string): Hex => `0x${createHash('sha256').update(text).digest('hex')}`
export const digest = (text: string): string => hex32(text).slice(2)

export const logOwner: LogOwner = { genesisHash: hex32('genesis'), netuid: 1 as NetUid, hotkey: logKey.address }
export const logTerms: Omit<TermsEntry, 'kind' | 'version'> = {
  ...logOwner,
  spec: { name: 'inference', version: 1, model: hex32('model') },
  block: 5 as Block,
}
export const emptyState: ScoreState = { scores: [], forfeits: [], rounds: [], endedAt: null }

const minerOf = (index: number) => ({
  hotkey: miners[index % miners.length] as Ss58,
  uid: index as Uid,
  registeredAt: 3 as Block,
})

export const stateAt = (block: number, count = 3): ScoreState => ({
  scores: Array.from({ length: count }, (_, index) => ({
    ...minerOf(index),
    average: 0.75,
    sigma: 0.125,
    samples: 2,
    lastRoundBlock: block as Block,
  })),
  forfeits: [],
  rounds: [block as Block],
  endedAt: (block + 2) as Block,
})

/** What a round of so many miners appends. */
export const entriesOfRound = (of: {
  readonly round: number
  readonly block: number
  readonly miners?: number
}): LogEntry[] => {
  const { round, block, miners: count = 3 } = of
  const roundBlock = block as Block
  return [
    {
      kind: 'round',
      round,
      start: { number: roundBlock, hash: hex32(`block ${block}`) },
      length: 10 as Blocks,
      miners: count,
    },
    ...Array.from(
      { length: count },
      (_, index): LogEntry => ({
        kind: 'verdict',
        ...minerOf(index),
        round,
        roundBlock,
        task: 'chat',
        seed: hex32(`seed ${round} ${index}`),
        repeat: 0,
        reason: 'ok',
        value: 0.9375,
        sigma: 0.0625,
        totalMs: 812.25,
        answerHash: hex32(`answer ${round} ${index}`),
        drawnAt: (block + 1) as Block,
        signed: true,
        receipt: digest(`receipt ${round} ${index}`),
      }),
    ),
    ...stateAt(block, count).scores.map((score): LogEntry => ({ kind: 'score', ...score })),
    { kind: 'round-end', round, roundBlock, endedAt: (block + 2) as Block, at: 1_800_000_000_000 as UnixMs },
  ]
}

export const rowEntry = (attempt: number, block: number): LogEntry => ({
  kind: 'row',
  attempt,
  mechanism: 0,
  block: { number: block as Block, hash: hex32(`block ${block}`) },
  tempo: 20 as Blocks,
  method: 'salted',
  version: 1,
  row: [[1 as Uid, 65_535]],
  departed: [minerOf(2)],
})

/** One entry of each kind. */
export const everyKind = (): readonly LogEntry[] => [
  { kind: 'terms', version: 1, ...logTerms },
  { kind: 'state', block: 5 as Block, ...stateAt(4) },
  ...entriesOfRound({ round: 1, block: 10, miners: 1 }),
  {
    kind: 'audit',
    ...minerOf(1),
    before: 10 as Block,
    reason: 'fingerprint',
    value: 0,
    receipt: digest('a user'),
  },
  {
    kind: 'forfeit',
    forfeit: {
      ...minerOf(1),
      atBlock: 12 as Block,
      untilBlock: 92 as Block,
      kind: 'user',
      reason: 'fingerprint',
      receipt: digest('a user'),
    },
  },
  rowEntry(1, 12),
  { kind: 'move', attempt: 1, state: 'committed', block: 13 as Block },
  {
    kind: 'source',
    block: 13 as Block,
    validator: keypairFromUri('//Eve').address,
    size: 9,
    root: hex32('root'),
    stake: '1000000000',
    state: stateAt(10),
  },
  {
    kind: 'checkpoint',
    round: 1,
    votedAt: 18 as Block,
    base: hex32('the model before'),
    merged: [{ uid: 1 as Uid, hotkey: minerOf(1).hotkey, name: hex32('an update'), bytes: 5_836 }],
    checkpoint: hex32('the model after'),
  },
]

/** Signs a head as the validator does. */
export const signedHead = (of: Pick<TreeHead, 'size' | 'root' | 'block'>, key = logKey): SignedHead => {
  const head = { ...logOwner, hotkey: key.address, ...of }
  return { ...head, signature: toHex(key.sign(treeHeadBytes(head))) }
}
