import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blobName } from '@arbor/shared/blob'
import { systemClock } from '@arbor/shared/clock'
import { openBlobStore } from '@arbor/training/blob-store'
import { fetchInto } from '@arbor/training/fetch'
import { httpSource } from '@arbor/training/sources/http'
import { openUpdateStore } from '@arbor/training/sources/s3'
import { AwsClient } from 'aws4fetch'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let folder: string
const closing: (() => Promise<unknown>)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-sources-'))
})
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
  rmSync(folder, { recursive: true, force: true })
})

const never = new AbortController().signal
const file = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 16)) & 255)
const name = blobName(file)
const wanted = { name, bytes: file.length, signal: never }

type Handler = (request: IncomingMessage, response: ServerResponse, asked: number) => void

/** A server of this machine, and the ranges that it was asked for. */
const serve = async (handler: Handler) => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers.range)
    handler(request, response, asked.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Answers as a server of files does: the range that was asked for. */
const ranged = (request: IncomingMessage, response: ServerResponse, content: Uint8Array = file): Uint8Array => {
  const [, from = '0'] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? []
  const part = content.subarray(Number(from))
  response.writeHead(206, {
    'content-length': part.length,
    'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
  })
  return part
}

const sourceOf = (
  url: string,
  over: { privateAllowed?: boolean; pace?: { windowMs: number; minBytesPerSecond: number } } = {},
) => httpSource({ url, privateAllowed: true, clock: systemClock, partials: join(folder, 'partial'), ...over })
const refusal = async (work: Promise<unknown>): Promise<{ code?: unknown; message: string }> =>
  work.then(
    () => {
      throw new Error('it was not refused')
    },
    (error: { code?: unknown; message: string }) => error,
  )
const left = (): string[] => readdirSync(join(folder, 'partial'))

describe('files over HTTP', () => {
  test('are taken whole from a folder by their name, and kept in the store', async () => {
    const paths: (string | undefined)[] = []
    const { url } = await serve((request, response) => {
      paths.push(request.url)
      response.end(ranged(request, response))
    })
    const store = openBlobStore({ folder: join(folder, 'blobs') })
    const sources = [sourceOf(`${url}/blobs/`)]
    expect(await fetchInto(store, { ...wanted, sources })).toEqual(Buffer.from(file))
    expect(await fetchInto(store, { ...wanted, sources })).toEqual(Buffer.from(file))
    expect([paths, left(), store.has(name)]).toEqual([[`/blobs/${name}`], [], true])
  })

  test('go on where a connection was cut, in another process too', async () => {
    const { url, asked } = await serve((request, response, count) => {
      const part = ranged(request, response)
      if (count > 2) return void response.end(part)
      response.write(part.subarray(0, 100_000), () => response.destroy())
    })
    expect(await refusal(sourceOf(`${url}/`).fetch(wanted))).toMatchObject({ code: 'BLOB_UNAVAILABLE' })
    await refusal(sourceOf(`${url}/`).fetch(wanted))
    expect(await sourceOf(`${url}/`).fetch(wanted)).toEqual(Buffer.from(file))
    expect(asked).toEqual(['bytes=0-299999', 'bytes=100000-299999', 'bytes=200000-299999'])
  })

  test('begin again where a server knows no ranges', async () => {
    const { url } = await serve((_, response, count) => {
      response.writeHead(200, { 'content-length': file.length })
      if (count > 1) return void response.end(file)
      response.write(file.subarray(0, 1_000), () => response.destroy())
    })
    await refusal(sourceOf(`${url}/a-file`).fetch(wanted))
    expect(await sourceOf(`${url}/a-file`).fetch(wanted)).toEqual(Buffer.from(file))
  })

  test('that have another length are refused before a byte of them is taken', async () => {
    const { url } = await serve(
      (request, response) => void response.end(ranged(request, response, new Uint8Array(400_000))),
    )
    expect(await refusal(sourceOf(`${url}/`).fetch(wanted))).toMatchObject({ code: 'BLOB_MISMATCH' })
    expect(left()).toEqual([])
  })

  test('are cut off at their length where a server does not end', async () => {
    let sent = 0
    const { url } = await serve((_, response) => {
      response.writeHead(200)
      const more = (): void => {
        while (!response.destroyed && response.write(file)) sent += file.length
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    expect(await refusal(sourceOf(`${url}/`).fetch(wanted))).toMatchObject({ code: 'BLOB_MISMATCH' })
    expect(sent).toBeLessThan(100 * file.length)
    expect(left()).toEqual([])
  })

  test('with other bytes are thrown away, and fetched from their beginning', async () => {
    const { url, asked } = await serve((request, response, count) => {
      response.end(ranged(request, response, count === 1 ? file.toReversed() : file))
    })
    const source = sourceOf(`${url}/`)
    expect(await refusal(source.fetch(wanted))).toMatchObject({ code: 'BLOB_MISMATCH' })
    expect(await source.fetch(wanted)).toEqual(Buffer.from(file))
    expect(asked).toEqual(['bytes=0-299999', 'bytes=0-299999'])
  })

  test.each([
    301, 302, 307, 403, 404, 429, 500, 503,
  ])('that are answered with status %i cannot be had', async (status) => {
    const other = await serve((request, response) => void response.end(ranged(request, response)))
    const { url } = await serve((_, response) => void response.writeHead(status, { location: other.url }).end('no'))
    expect(await refusal(sourceOf(`${url}/`).fetch(wanted))).toMatchObject({
      code: 'BLOB_UNAVAILABLE',
      retryable: true,
    })
    expect(other.asked).toEqual([])
  })

  test.each<[string, Handler]>([
    [
      'drip',
      (request, response) => {
        const part = ranged(request, response)
        let at = 0
        const drop = setInterval(() => {
          if (response.destroyed) return clearInterval(drop)
          response.write(part.subarray(at, at + 10))
          at += 10
        }, 20)
      },
    ],
    ['stop in the middle', (request, response) => void response.write(ranged(request, response).subarray(0, 1_000))],
    ['never begin', () => undefined],
  ])('that %s are given up', async (_, handler) => {
    const { url } = await serve(handler)
    const pace = { windowMs: 250, minBytesPerSecond: 16_384 }
    expect(await refusal(sourceOf(`${url}/`, { pace }).fetch(wanted))).toMatchObject({ code: 'BLOB_UNAVAILABLE' })
  })

  test('are not asked for at addresses of this machine or its network where those are not allowed', async () => {
    const { url, asked } = await serve((request, response) => void response.end(ranged(request, response)))
    const port = new URL(url).port
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254']) {
      const source = sourceOf(`http://${host}:${port}/`, { privateAllowed: false })
      expect((await refusal(source.fetch(wanted))).message, host).toContain('is not asked')
    }
    for (const given of ['ftp://example.com/', 'http://user:word@example.com/', 'nonsense', 'file:///etc/passwd'])
      expect(await refusal(sourceOf(given).fetch(wanted))).toMatchObject({ code: 'BLOB_UNAVAILABLE' })
    expect(asked).toEqual([])
  })

  test('stop as soon as nobody wants them', async () => {
    const stop = new AbortController()
    const reason = new Error('the phase is over')
    const { url } = await serve((request, response) => {
      response.write(ranged(request, response).subarray(0, 1_000))
      stop.abort(reason)
    })
    expect(
      await sourceOf(`${url}/`)
        .fetch({ ...wanted, signal: stop.signal })
        .catch((error: unknown) => error),
    ).toBe(reason)
  })

  test('are tried from one source after the other', async () => {
    const gone = await serve((_, response) => void response.writeHead(404).end())
    const liar = await serve((request, response) => void response.end(ranged(request, response, file.toReversed())))
    const good = await serve((request, response) => void response.end(ranged(request, response)))
    const store = openBlobStore({ folder: join(folder, 'blobs') })
    const sources = [gone, liar].map(({ url }) => sourceOf(`${url}/`))
    const { message } = await refusal(fetchInto(store, { ...wanted, sources }))
    expect(message).toMatch(/status 404.*another name/)
    expect(await fetchInto(store, { ...wanted, sources: [...sources, sourceOf(`${good.url}/`)] })).toEqual(
      Buffer.from(file),
    )
  })
})

interface S3Server {
  configureBuckets(): Promise<unknown>
  run(): Promise<AddressInfo>
  close(): Promise<unknown>
}

/** Starts an S3-compatible server whose one key is S3RVER with the secret S3RVER. */
const startS3 = async (): Promise<string> => {
  const S3rver = createRequire(new URL('../../training/package.json', import.meta.url))('@20minutes/s3rver') as new (
    options: object,
  ) => S3Server
  const options = {
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: join(folder, 's3'),
    configureBuckets: [{ name: 'updates' }],
  }
  const server = new S3rver(options)
  const { port } = await server.run()
  closing.push(() => server.close())
  return `http://127.0.0.1:${port}`
}

const settings = (of: object | string, mode = 0o600): string => {
  const path = join(folder, 'store.json')
  writeFileSync(path, typeof of === 'string' ? of : JSON.stringify(of))
  chmodSync(path, mode)
  return path
}
const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

describe('an S3-compatible store', () => {
  test('takes an update and gives it to everybody by the URL that was told before', async () => {
    const endpoint = await startS3()
    const file_ = settings({ endpoint, bucket: 'updates', prefix: 'm1/', ...keys })
    const store = openUpdateStore({ file: file_, clock: systemClock })
    const url = store.urlOf(name)
    expect(url).toBe(`${endpoint}/updates/m1/${name}`)
    expect(await refusal(sourceOf(url).fetch(wanted))).toMatchObject({ code: 'BLOB_UNAVAILABLE' })
    await store.put({ name, file, signal: never })
    await store.put({ name, file, signal: never })
    expect(await sourceOf(url).fetch(wanted)).toEqual(Buffer.from(file))
  })

  test('gives the rest of a file where a transfer was cut', async () => {
    const endpoint = await startS3()
    const store = openUpdateStore({ file: settings({ endpoint, bucket: 'updates', ...keys }), clock: systemClock })
    await store.put({ name, file, signal: never })
    const url = store.urlOf(name)
    const stop = new AbortController()
    const fetching = sourceOf(url)
      .fetch({ ...wanted, signal: stop.signal })
      .catch(() => null)
    stop.abort(new Error('killed'))
    await fetching
    const [begun = ''] = left()
    writeFileSync(join(folder, 'partial', begun), file.subarray(0, 123_456))
    expect(await sourceOf(url).fetch(wanted)).toEqual(Buffer.from(file))
  })

  test('refuses a wrong key, and neither key nor signature stands in the error', async () => {
    const endpoint = await startS3()
    const secretAccessKey = 'a secret that nobody may see'
    const path = settings({ endpoint, bucket: 'updates', accessKeyId: 'S3RVER', secretAccessKey })
    const error = await refusal(openUpdateStore({ file: path, clock: systemClock }).put({ name, file, signal: never }))
    expect(error).toMatchObject({ code: 'S3_REFUSED', retryable: true })
    expect(error.message).toContain('status 403')
    expect(JSON.stringify({ ...error, message: error.message })).not.toMatch(/a secret|Signature|S3RVER/)
    expect(statSync(join(folder, 's3', 'updates')).isDirectory()).toBe(true)
    expect(readdirSync(join(folder, 's3', 'updates'))).toEqual([])
  })

  test('that is not there is said to be so', async () => {
    const { url } = await serve((request) => void request.socket.destroy())
    const file_ = settings({ endpoint: url, bucket: 'updates', ...keys })
    const store = openUpdateStore({ file: file_, clock: systemClock })
    expect(await refusal(store.put({ name, file, signal: never }))).toMatchObject({ code: 'S3_REFUSED' })
  })

  test.each<[string, () => string]>([
    ['is not there', () => join(folder, 'none.json')],
    ['others can read', () => settings({ endpoint: 'http://s3.example', bucket: 'updates', ...keys }, 0o644)],
    ['is no JSON', () => settings('{"secretAccessKey": hush')],
    [
      'has a part too many',
      () => settings({ endpoint: 'http://s3.example', bucket: 'updates', ...keys, acl: 'public' }),
    ],
    ['lacks a key', () => settings({ endpoint: 'http://s3.example', bucket: 'updates', accessKeyId: 'S3RVER' })],
    ['names no address', () => settings({ endpoint: 's3.example', bucket: 'updates', ...keys })],
    ['names no bucket', () => settings({ endpoint: 'http://s3.example', bucket: '../x', ...keys })],
  ])('whose settings file %s is refused, without its content', async (_, path) => {
    const error = await refusal((async () => openUpdateStore({ file: path(), clock: systemClock }))())
    expect(error).toMatchObject({ code: 'S3_SETTINGS' })
    expect(error.message).not.toMatch(/hush|S3RVER/)
  })

  test('gives a file by a URL that was signed for it', async () => {
    const endpoint = await startS3()
    const store = openUpdateStore({ file: settings({ endpoint, bucket: 'updates', ...keys }), clock: systemClock })
    await store.put({ name, file, signal: never })
    const client = new AwsClient({ ...keys, service: 's3', region: 'us-east-1' })
    const { url } = await client.sign(`${store.urlOf(name)}?X-Amz-Expires=60`, { aws: { signQuery: true } })
    expect(url).toContain('X-Amz-Signature=')
    expect(await sourceOf(url).fetch(wanted)).toEqual(Buffer.from(file))
  })

  test('is read by URLs that are signed, whose signatures stand in no error', async () => {
    const { url } = await serve((_, response) => void response.writeHead(403).end())
    const signed = `${url}/updates/${name}?X-Amz-Signature=hush&X-Amz-Credential=key`
    expect((await refusal(sourceOf(signed).fetch(wanted))).message).not.toMatch(/hush|Credential/)
  })
})
