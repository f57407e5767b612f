import { readFileSync, statSync } from 'node:fs'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, Ms } from '@arbor/shared/units'
import { AwsClient } from 'aws4fetch'
import { request } from 'undici'
import { z } from 'zod'

/** Where a miner puts its updates besides its axon. */
export interface UpdateStore {
  /** Address at which a file of that name can be read once it was put. */
  urlOf(name: Hex): string
  /** @throws S3_REFUSED */
  put(of: { readonly name: Hex; readonly file: Uint8Array; readonly signal: AbortSignal }): Promise<void>
}

const address = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:/.test(text), 'is no http:// or https:// address')
const settings = z.strictObject({
  endpoint: address,
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,62}$/),
  region: z.string().min(1).default('us-east-1'),
  prefix: z
    .string()
    .regex(/^[\w./-]{0,60}$/)
    .default(''),
  /** Where objects are read, if elsewhere than at the endpoint. */
  publicUrl: address.optional(),
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1).optional(),
})

/** Time that one file may take to be put: 2 MB over 128 kbit/s. */
const PUT_MS = 120_000 as Ms

/**
 * Opens a bucket of an S3-compatible store by a settings file, which holds its keys and which nobody else may read.
 * @throws S3_SETTINGS
 */
export function openUpdateStore({ file, clock }: { readonly file: string; readonly clock: Clock }): UpdateStore {
  const of = read(file)
  const client = new AwsClient({
    accessKeyId: of.accessKeyId,
    secretAccessKey: of.secretAccessKey,
    ...(of.sessionToken === undefined ? {} : { sessionToken: of.sessionToken }),
    service: 's3',
    region: of.region,
  })
  const keyOf = (name: Hex): string => `${of.prefix}${name}`
  const bucket = `${of.endpoint.replace(/\/+$/, '')}/${of.bucket}`
  const seen = of.publicUrl === undefined ? bucket : of.publicUrl.replace(/\/+$/, '')
  return {
    urlOf: (name) => `${seen}/${keyOf(name)}`,
    put: async ({ name, file: body, signal }) => {
      const url = `${bucket}/${keyOf(name)}`
      const headers = { 'content-type': 'application/octet-stream', 'content-length': String(body.length) }
      const signed = await client.sign(url, { method: 'PUT', headers, body: Uint8Array.from(body) })
      const late = refused(url, `it did not take it within ${PUT_MS} ms`)
      using deadline = startDeadline({ clock, ms: PUT_MS, parent: signal, reason: () => late })
      try {
        const sent = Object.fromEntries(signed.headers)
        const answer = await request(url, { method: 'PUT', headers: sent, body, signal: deadline.signal })
        await answer.body.dump()
        if (answer.statusCode !== 200) throw refused(url, `it answered with status ${answer.statusCode}`)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof SubnetError) throw error
        throw refused(url, error instanceof Error ? error.message : String(error))
      }
    },
  }
}

function read(file: string): z.infer<typeof settings> {
  const text = trying(file, () => {
    if ((statSync(file).mode & 0o077) !== 0) throw new Error('others may read it; make it yours alone (chmod 600)')
    return readFileSync(file, 'utf8')
  })
  const json = trying(file, () => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw new Error('it is no JSON') // the parser's own words would show what stands in it
    }
  })
  const found = settings.safeParse(json)
  if (found.success) return found.data
  const [issue] = found.error.issues
  throw badSettings(file, `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? ''}`)
}

const trying = <T>(file: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw badSettings(file, error instanceof Error ? error.message : String(error))
  }
}

const badSettings = (file: string, why: string): SubnetError =>
  new SubnetError({
    code: 'S3_SETTINGS',
    message: `the settings of the object store in ${file} cannot be used: ${why}; docs/finetune.md says what stands in them`,
    details: { file },
  })

const refused = (url: string, why: string): SubnetError =>
  new SubnetError({
    code: 'S3_REFUSED',
    message: `the object store did not take ${url}: ${why}; check the bucket, the region and the keys. The axon serves the update all the same`,
    details: { url },
    retryable: true,
  })
