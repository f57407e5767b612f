import { describe, expect, it } from 'vitest'
import { isJson, isStream, messageOf, readHead, statusOf } from '../src/bittensor/head.ts'
import { faultOfStatus, statusOfFault } from '../src/bittensor/status.ts'

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

describe('readHead', () => {
  it('takes status, message, type and encoding', () => {
    const raw = ['Content-Type', 'Application/JSON', 'content-encoding', 'gzip', 'bt_header_axon_status_code', '200']
    expect(readHead([...raw, 'bt_header_axon_status_message', 'Success'])).toEqual({
      statusCode: 200,
      statusMessage: 'Success',
      contentType: 'application/json',
      encoding: 'gzip',
    })
  })

  it('ignores names of Bittensor in upper case, and takes the last of repeated ones', () => {
    expect(readHead(['BT_HEADER_AXON_STATUS_CODE', '200'])).toMatchObject({ statusCode: null })
    const twice = ['bt_header_axon_status_code', '500', 'bt_header_axon_status_code', '200']
    expect(readHead(twice)).toMatchObject({ statusCode: 200 })
  })

  it('reads a message as UTF-8, or as latin-1 where it is none', () => {
    const message = (value: string) => readHead(['bt_header_axon_status_message', value])
    expect(message(latin1('h\u00e9llo \u2713'))).toMatchObject({ statusMessage: 'h\u00e9llo \u2713' })
    expect(message('h\u00e9llo')).toMatchObject({ statusMessage: 'h\u00e9llo' })
  })

  it.each(['ok', '', '2e2', '200.0', '0x1', '1234567', '²'])('refuses the status %j', (value) => {
    expect(readHead(['bt_header_axon_status_code', value])).toEqual({ bad: 'a status code that is no number' })
  })

  it('makes one encoding of several headers, which then is none that we know', () => {
    expect(readHead(['content-encoding', 'gzip', 'content-encoding', 'gzip'])).toMatchObject({ encoding: 'gzip,gzip' })
  })
})

describe('statusOf', () => {
  it.each([
    [200, 200],
    [200n, 200],
    ['200', 200],
    [' 200 ', 200],
    [200.5, null],
    [10n ** 30n, null],
    [true, null],
    [null, null],
  ])('reads %s as %s', (value, status) => expect(statusOf(value)).toBe(status))
})

describe('messageOf', () => {
  it('bounds a message, and takes out what a terminal would obey', () => {
    expect(messageOf('x'.repeat(2_000))).toHaveLength(1_024)
    expect(messageOf('\u001b[31mred')).toBe('\ufffd[31mred')
  })
})

describe('content types', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/problem+json',
    'application/json;charset="utf8"',
  ])('%s is JSON', (type) => expect(isJson(type)).toBe(true))
  it.each([
    '',
    'text/plain',
    'text/json',
    'application/json; charset=utf-16',
    'application/jsonp',
    'application/json+',
  ])('%j is none', (type) => expect(isJson(type)).toBe(false))
  it('text/event-stream is a stream', () => {
    expect(['text/event-stream', 'text/event-stream; charset=utf-8', 'text/plain'].map(isStream)).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe('statuses', () => {
  const context = { ip: '127.0.0.1', port: 8091, synapse: 'Echo', timeout: '1.0', begun: false, why: 'what was wrong' }

  // texts of bittensor 10.5.0's dendrite
  it.each([
    ['timeout', 408, 'Request timeout after 1.0 seconds'],
    ['trickle', 408, 'Request timeout after 1.0 seconds'],
    ['connect-refused', 503, 'Service unavailable at 127.0.0.1:8091/Echo'],
    ['early-close', 503, 'Service disconnected: what was wrong'],
    ['malformed', 422, 'Failed to parse response: what was wrong'],
  ] as const)('%s counts as %i', (fault, statusCode, statusMessage) => {
    expect(statusOfFault(fault, context)).toEqual({ statusCode, statusMessage })
  })

  it('a body that breaks off is a payload error', () => {
    expect(statusOfFault('early-close', { ...context, begun: true })).toMatchObject({ statusCode: 400 })
  })

  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [404, 'refused'],
    [418, 'refused'],
    [500, 'refused'],
    [400, 'rejected'],
    [422, 'rejected'],
    [408, 'busy'],
    [503, 'busy'],
    [429, 'rate'],
    [null, 'malformed'],
  ] as const)('an axon’s %s is %s', (status, fault) => expect(faultOfStatus(status)).toBe(fault))
})
