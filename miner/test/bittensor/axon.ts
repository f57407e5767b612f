import { bodyHash } from '@arbor/shared/bittensor/body-hash'
import { readFields } from '@arbor/shared/bittensor/coerce'
import { parseJson } from '@arbor/shared/bittensor/json'
import { messageHeaders, NO_TERMINAL } from '@arbor/shared/bittensor/message'
import { createMemoryNonceStore, type NonceStore } from '@arbor/shared/bittensor/nonce-store'
import { openNonces } from '@arbor/shared/bittensor/nonces'
import { signatureText, writeSignature } from '@arbor/shared/bittensor/signature'
import { type Synapse, synapseOf } from '@arbor/shared/bittensor/synapse'
import { toBytes } from '@arbor/shared/bytes'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Alpha, Ss58 } from '@arbor/shared/units'
import { fastify } from 'fastify'
import { z } from 'zod'
import { mountAxon } from '../../src/bittensor/routes.ts'
import type { AxonDeps, ServedSynapse } from '../../src/bittensor/types.ts'

export const alice = keypairFromUri('//Alice')
export const bob = keypairFromUri('//Bob')
export const eve = keypairFromUri('//Eve')

const request = z.object({ text: z.string().max(2_000), n: z.int() })
const response = z.object({ reply: z.string() })
export const echo: Synapse = synapseOf({ name: 'Echo', hashed: ['text', 'n'], request, response })

/** Builds an axon that serves Echo on a clock that stands, without a socket. */
export const testAxon = (
  of: Partial<Pick<AxonDeps, 'door'>> & {
    readonly store?: NonceStore
    readonly served?: Partial<ServedSynapse>
    readonly minVersion?: number
  } = {},
) => {
  const clock = createManualClock()
  const store = of.store ?? createMemoryNonceStore()
  /** Whom the handler and the blacklist were told of. */
  const seen: { readonly by: string; readonly caller: Ss58 }[] = []
  const app = fastify({ logger: false })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'MINER_NO_TASK' }))
  const served: ServedSynapse = {
    synapse: echo,
    request,
    maxRequestBytes: 4_096,
    maxResponseBytes: 4_096,
    deadlineMs: 10_000,
    blacklist: (caller) => {
      seen.push({ by: 'blacklist', caller })
      return null
    },
    answer: async ({ request: sent, caller }) => {
      seen.push({ by: 'handler', caller })
      const { text, n } = request.parse(sent)
      return { response: { reply: `${text}|${n}` } }
    },
    ...of.served,
  }
  mountAxon(app, {
    receiver: bob.address,
    served: [served],
    nonces: openNonces({ store, limits: of.minVersion === undefined ? {} : { minVersion: of.minVersion } }),
    door: of.door ?? {
      claimed: () => ({ ok: true, stake: 0n as Alpha }),
      seat: () => ({ ok: true, work: async () => ({ ok: true }), leave: () => undefined }),
    },
    clock,
    log: createLogger({ name: 'axon', level: 'silent' }),
    randomUuid: () => '00000000-0000-4000-8000-000000000000',
  })

  /** Makes a request of Alice's as Bittensor's dendrite does; what is given replaces its part after it was signed. */
  const write = (
    of: {
      readonly body?: string
      readonly nonce?: bigint
      readonly signer?: typeof alice
      readonly axonHotkey?: Ss58
      readonly headers?: Readonly<Record<string, string | undefined>>
      readonly sent?: string
    } = {},
  ) => {
    const body = of.body ?? '{"text":"a","n":1}'
    const parsed = parseJson(body)
    const read = parsed.ok ? readFields(echo.request, parsed.value) : parsed
    const values =
      read.ok && 'fields' in read
        ? read.fields
        : new Map<string, string | bigint>([
            ['text', ''],
            ['n', 0n],
          ])
    const signer = of.signer ?? alice
    const nonce = of.nonce ?? BigInt(clock.now()) * 1_000_000n
    const hash = bodyHash({ synapse: echo, values, timeoutS: 12 })
    const text = signatureText({
      nonce,
      dendriteHotkey: signer.address,
      axonHotkey: of.axonHotkey ?? bob.address,
      uuid: 'uuid-1',
      bodyHash: hash,
    })
    const dendrite = {
      ...NO_TERMINAL,
      ip: '203.0.113.7',
      version: 10_005_000,
      nonce,
      uuid: 'uuid-1',
      hotkey: signer.address,
      signature: writeSignature(signer.sign(toBytes(text))),
    }
    const message = { synapse: echo, values, timeoutS: 12, dendrite, axon: NO_TERMINAL, bodyHash: hash }
    const all = {
      ...Object.fromEntries(messageHeaders(message, body.length)),
      'content-type': 'application/json',
      ...of.headers,
    }
    const headers = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return {
      method: 'POST' as const,
      url: '/Echo',
      headers: Object.fromEntries(headers),
      payload: of.sent ?? body,
    }
  }
  const ask = async (of: Parameters<typeof write>[0] = {}) => said(await app.inject(write(of)))
  return { app, clock, store, seen, write, ask }
}

/** Takes from an answer what matters. */
export const said = (answer: { readonly statusCode: number; readonly payload: string }) => {
  const body = JSON.parse(answer.payload || '{}') as Record<string, unknown>
  return { status: answer.statusCode, message: body.message, reply: body.reply, body, bytes: answer.payload.length }
}
