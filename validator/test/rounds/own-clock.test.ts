import type { Uid } from '@arbor/shared/units'
import { expect, test } from 'vitest'
import { withoutOwnClock } from '../../src/rounds/own-clock.ts'
import { verdictRow } from '../recorded.ts'

const silent = { signed: false, answerHash: null, totalMs: null, value: 0 } as const
const round = (reasons: readonly string[]) =>
  reasons.map((reason, uid) => verdictRow({ uid: uid as Uid, reason, ...(reason === 'ok' ? {} : silent) }))
const kept = (...reasons: readonly string[]): readonly string[] =>
  withoutOwnClock(round(reasons)).map(({ reason }) => reason)

test('a round judges no miner for a clock that most of them say is ours', () => {
  expect(kept('clock', 'clock', 'ok', 'timeout')).toEqual(['ok', 'timeout'])
  expect(kept('certificate-expired', 'clock', 'clock')).toEqual([])
  expect(kept('clock')).toEqual([])
})

test('a round judges a miner for its clock where as many answered by ours', () => {
  expect(kept('clock', 'ok', 'timeout')).toEqual(['clock', 'ok', 'timeout'])
  expect(kept('ok', 'ok', 'clock')).toEqual(['ok', 'ok', 'clock'])
})
