import type { Alpha, Block, Ss58, Uid } from '@arbor/shared/units'
import { renderToString } from 'ink'
import { createElement } from 'react'
import { expect, test } from 'vitest'
import { View } from '../src/up/screen.ts'
import { explain, type NetState } from '../src/up/state.ts'

const state: NetState = {
  phase: 'running',
  url: 'ws://127.0.0.1:1',
  netuid: 1 as NetState['netuid'],
  block: 126 as Block,
  tempo: 10,
  epoch: 12,
  nextEpochBlock: 130 as Block,
  rounds: 20,
  warnings: [],
  gateway: null,
  training: null,
  miners: [
    {
      name: 'miner-4',
      kind: 'cheat:int8',
      hotkey: '5Fa' as Ss58,
      uid: 2 as Uid,
      verdicts: { fingerprint: 1_041 },
      lastReason: 'fingerprint',
      incentive: 0,
      earned: 0n as Alpha,
    },
  ],
  validators: [
    {
      name: 'validator-1',
      hotkey: '5Fb' as Ss58,
      uid: 4 as Uid,
      permit: true,
      weights: [1, 2, 3, 5].map((uid) => [uid as Uid, 65_535] as const),
      readBackBlock: 126 as Block,
      dividends: 0.5098,
      earned: 29_245_300_000n as Alpha,
    },
  ],
}

test('the live view says in 120 columns why a miner earns nothing and which weights the chain holds', () => {
  const drawn = renderToString(createElement(View, { state }), { columns: 120 })
  expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
  expect(drawn).toContain(explain('fingerprint'))
  expect(drawn).toContain('1:100% 2:100% 3:100% 5:100%')
  expect(drawn).toContain('from the chain at block 126')
})
