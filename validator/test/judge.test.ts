import { SubnetError } from '@arbor/shared/errors'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { UnixMs } from '@arbor/shared/units'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { exchangeId } from '../src/exchange.ts'
import { judgeExchange } from '../src/judge.ts'
import { asker, exchangeWith } from './exchange.ts'

const exchange = exchangeWith({ counter: 1, request: { prompt: 'Why?' }, respond: () => ({ text: 'Because.' }) })
const judging = (write: () => void, said: string[] = []) =>
  judgeExchange(
    {
      judge: async () => ({ reason: 'ok', value: 1, sigma: 0, checkMs: 3 }),
      receipts: { write },
      clock: createManualClock(1_800_000_000_000 as UnixMs),
      log: pino({}, { write: (line: string) => void said.push(String(JSON.parse(line).event)) }),
      self: asker.address,
    },
    { exchange, drawn: null, share: undefined },
    new AbortController().signal,
  )

test('a verdict counts, and names its exchange, when the disk has no room for its receipt', async () => {
  const said: string[] = []
  const found = await judging(() => {
    throw new SubnetError({ code: 'RECEIPTS_UNWRITABLE', message: 'no space left on device' })
  }, said)
  expect(found).toMatchObject({ id: exchangeId(exchange), judged: { reason: 'ok' } })
  expect(said).toEqual(['receipt.unwritten'])
})

test('a verdict does not hide a fault of our own in writing its receipt', async () => {
  await expect(
    judging(() => {
      throw new TypeError('not a function')
    }),
  ).rejects.toThrow('not a function')
})
