import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { createManualClock } from '@arbor/shared/manual-clock'
import { expect, test } from 'vitest'
import { openEventStream } from '../src/http/sse.ts'

/** A reader that takes what is written when it is told to. */
const slowReader = () => {
  const read: string[] = []
  const waiting: (() => void)[] = []
  const writable = new Writable({
    highWaterMark: 32,
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      read.push(String(chunk))
      waiting.push(done)
    },
  })
  const response = Object.assign(writable, { writeHead: () => response }) as unknown as ServerResponse
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    response,
    read,
    take: async (): Promise<void> => {
      for (const done of waiting.splice(0)) done()
      await settle()
    },
  }
}
const open = (reader: ReturnType<typeof slowReader>) => {
  const clock = createManualClock()
  let cuts = 0
  const events = openEventStream({
    response: reader.response,
    headers: {},
    write: (piece) => JSON.stringify(piece),
    clock,
    cut: () => {
      cuts += 1
    },
  })
  return { clock, events, cuts: () => cuts }
}

test('a stream joins pieces while its reader is slow, and loses none', async () => {
  const reader = slowReader()
  const { clock, events, cuts } = open(reader)
  events.text('a'.repeat(40))
  for (const letter of 'bcdef') events.text(letter)
  await reader.take()
  expect(reader.read).toEqual([`data: "${'a'.repeat(40)}"\n\n`, 'data: "bcdef"\n\n'])
  const ended = events.end(['[DONE]'])
  await reader.take()
  await reader.take()
  await ended
  expect(reader.read.at(-1)).toBe('data: [DONE]\n\n')
  expect([cuts(), clock.sleeping()]).toEqual([0, 0])
})

test('a stream cuts its reader off that takes nothing for 30 s', async () => {
  const reader = slowReader()
  const { clock, events, cuts } = open(reader)
  events.text('a'.repeat(40))
  await clock.advance(29_999)
  expect([cuts(), reader.response.destroyed]).toEqual([0, false])
  await clock.advance(1)
  expect([cuts(), reader.response.destroyed]).toEqual([1, true])
  await events.end(['[DONE]'])
  expect(reader.read).toHaveLength(1)
})

test('a stream whose reader takes the end never is closed after 30 s', async () => {
  const reader = slowReader()
  const { clock, events } = open(reader)
  const ended = events.end(['x'.repeat(100), '[DONE]'])
  await clock.advance(30_000)
  await ended
  expect(reader.response.destroyed).toBe(true)
})
