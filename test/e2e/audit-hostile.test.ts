import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcp } from 'node:net'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@arbor/shared/clock'
import { HTTP_BOUNDS, type HttpBounds, openLogHttp } from '@arbor/validator/auditor/http'
import { openServedLog } from '@arbor/validator/auditor/served-log'
import { afterEach, expect, test } from 'vitest'

const open: { close(callback?: () => void): unknown }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function listening(server: Server | ReturnType<typeof createTcp>): Promise<string> {
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Asks a server for a head. @returns the error's code, or `read` */
async function outcomeOf(url: string, bounds: Partial<HttpBounds> = {}, privateAllowed = true): Promise<unknown> {
  const stop = new AbortController()
  try {
    const http = openLogHttp({ url, privateAllowed, clock: systemClock, bounds: { ...HTTP_BOUNDS, ...bounds } })
    try {
      await openServedLog(http).head(stop.signal)
      return 'read'
    } finally {
      await http.close()
    }
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

const serving = (listener: RequestListener): Promise<string> => listening(createServer(listener))

test('a log that redirects, refuses, or says what is no text is refused', async () => {
  const target = await serving((_, response) => response.end('{}'))
  const redirecting = await serving((_, response) => response.writeHead(302, { location: target }).end())
  expect(await outcomeOf(redirecting)).toBe('AUDIT_HTTP')
  expect(await outcomeOf(await serving((_, response) => response.writeHead(500).end('x')))).toBe('AUDIT_HTTP')
  expect(await outcomeOf(await serving((_, response) => response.end(Buffer.from([0xff, 0xfe]))))).toBe('AUDIT_HTTP')
  const zipped: RequestListener = (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"head":{}}'))
  expect(await outcomeOf(await serving(zipped))).toBe('AUDIT_HTTP')
  expect(await outcomeOf(await serving((_, response) => response.end('<html>')))).toBe('AUDIT_ANSWER')
  expect(await outcomeOf(target)).toBe('AUDIT_ANSWER')
})

test('a log that never ends is cut off', async () => {
  const endless = await serving((request, response) => {
    const more = (): void => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    request.socket.on('error', () => undefined)
    more()
  })
  expect(await outcomeOf(endless, { answerBytes: 1_000_000 })).toBe('AUDIT_TOO_LARGE')
  expect(await outcomeOf(endless, { totalBytes: 1_000_000 })).toBe('AUDIT_TOO_LARGE')
})

test('a log that answers a byte now and then, or not at all, is given up', async () => {
  const timers = new Set<NodeJS.Timeout>()
  const trickle = await serving((_, response) => {
    const timer = setInterval(() => response.write(' '), 20)
    timers.add(timer)
    response.once('close', () => clearInterval(timer))
  })
  expect(await outcomeOf(trickle, { requestMs: 300 })).toBe('AUDIT_UNREACHABLE')
  const silent = createTcp((socket) => void socket.on('error', () => undefined))
  expect(await outcomeOf(await listening(silent), { requestMs: 300 })).toBe('AUDIT_UNREACHABLE')
  const noHttp = createTcp((socket) => void socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9\r\n'))
  expect(await outcomeOf(await listening(noHttp), { requestMs: 2_000 })).toBe('AUDIT_UNREACHABLE')
  for (const timer of timers) clearInterval(timer)
})

test('a log that is busy is asked again, so many times', async () => {
  let asked = 0
  const busy = await serving((_, response) => {
    asked += 1
    response.writeHead(429, { 'retry-after': '0' }).end('{"code":"LOG_RATE"}')
  })
  expect(await outcomeOf(busy, { patience: 1 })).toBe('AUDIT_HTTP')
  expect(asked).toBe(2)
})

test('no address of this machine or its network is asked where the chain is a public one', async () => {
  const url = await serving((_, response) => response.end('{}'))
  const { port } = new URL(url)
  const hosts = [
    '127.0.0.1',
    'localhost',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '[::1]',
    '10.0.0.1',
    '[fd00::1]',
  ]
  for (const host of hosts)
    expect([host, await outcomeOf(`http://${host}:${port}`, {}, false)]).toEqual([host, 'AUDIT_URL'])
  for (const host of ['169.254.169.254', '0.0.0.0', '224.0.0.1'])
    expect([host, await outcomeOf(`http://${host}:${port}`, {}, true)]).toEqual([host, 'AUDIT_URL'])
  for (const bad of ['', 'file:///etc/passwd', 'ws://1.2.3.4', 'http://a:b@1.2.3.4', 'http://1.2.3.4/?x', 'http://'])
    expect([bad, await outcomeOf(bad)]).toEqual([bad, 'AUDIT_URL'])
})
