import { createHash } from 'node:crypto'
import type { Keypair } from '../../src/keypair.ts'
import { keypairFromUri } from '../../src/keys.ts'
import {
  type Certificate,
  judgeCertificate,
  readCertificate,
  verifyCertificate,
} from '../../src/protocol/certificate.ts'
import { judgeLength, judgeProof, judgeReceiver, judgeTarget, judgeTime, openBody } from '../../src/protocol/judge.ts'
import { createPairKeyCache, derivePairKeys, type PairKeys } from '../../src/protocol/keys.ts'
import { type ReadRequest, readRequest, type WrittenRequest, writeRequest } from '../../src/protocol/request.ts'
import { openSession, type Session } from '../../src/protocol/session.ts'
import { createMemorySessionStore, type SessionStore } from '../../src/protocol/session-store.ts'
import { openSessionTable, type SessionLimits, type SessionTable } from '../../src/protocol/sessions.ts'
import type { Block, Ms, NetUid, Ss58, UnixMs } from '../../src/units.ts'

export const NOW = 1_800_000_000_000 as UnixMs
export const NETUID = 1 as NetUid
export const GENESIS = new Uint8Array(32).fill(7)
export const REGISTERED = 100 as Block
export const LIMIT = 4_096
export const alice = keypairFromUri('//Alice')
export const bob = keypairFromUri('//Bob')
export const charlie = keypairFromUri('//Charlie')
export const BODY = Buffer.from('{"prompt":"a"}')

/** Bytes that look random and are the same at each run. */
export const seededBytes = (seed: string): ((length: number) => Uint8Array) => {
  let count = 0
  return (length) => {
    count += 1
    return Uint8Array.from(createHash('shake256', { outputLength: length }).update(`${seed} ${count}`).digest())
  }
}

let opened = 0
/** Opens a session of its own for each call. */
export const open = (of: {
  readonly signer: Keypair
  readonly purpose: 'ask' | 'serve'
  readonly issuedAt?: number
  readonly lifetimeMs?: number
  readonly netuid?: number
  readonly genesisHash?: Uint8Array
  readonly registeredAt?: number
  readonly audience?: Ss58 | null
}): Promise<Session> => {
  opened += 1
  return openSession({
    signer: of.signer,
    purpose: of.purpose,
    genesisHash: of.genesisHash ?? GENESIS,
    netuid: (of.netuid ?? NETUID) as NetUid,
    registeredAt: (of.registeredAt ?? REGISTERED) as Block,
    audience: of.audience ?? null,
    issuedAt: (of.issuedAt ?? NOW) as UnixMs,
    ...(of.lifetimeMs === undefined ? {} : { lifetimeMs: of.lifetimeMs as Ms }),
    randomBytes: seededBytes(`session ${opened}`),
  })
}

/** Derives or fails. */
export const pairOf = (own: Session, other: Session): PairKeys => {
  const keys = derivePairKeys(own, other.certificate)
  if (keys === null) throw new Error('a key of low order')
  return keys
}

/** What an asker may choose of a request. */
export interface Asked {
  readonly isSealed?: boolean
  readonly proof?: 'mac' | 'signature'
  readonly withKeys?: boolean
  readonly counter?: number
  readonly receiver?: Uint8Array
  readonly netuid?: number
  readonly method?: string
  readonly path?: string
  readonly sentAt?: number
  readonly timeoutMs?: number
  readonly body?: Uint8Array
}

/** Writes a request from `ask` to the owner of `serve`. */
export const askOf = (ask: Session, serve: Session, of: Asked = {}): WrittenRequest => {
  const pair = of.withKeys === false ? null : { serveId: serve.id, keys: pairOf(ask, serve) }
  return writeRequest({
    session: ask,
    pair,
    isSealed: of.isSealed ?? pair !== null,
    proof: of.proof ?? (pair === null ? 'signature' : 'mac'),
    counter: of.counter ?? 1,
    receiver: of.receiver ?? serve.certificate.hotkey,
    netuid: (of.netuid ?? NETUID) as NetUid,
    method: of.method ?? 'POST',
    path: of.path ?? '/chat',
    accept: 'whole',
    sentAt: (of.sentAt ?? NOW) as UnixMs,
    timeoutMs: (of.timeoutMs ?? 10_000) as Ms,
    body: of.body ?? BODY,
  })
}

/** Headers as a socket brings them. */
export const rawHeaders = (written: { readonly envelope: string; readonly body: Uint8Array }, certificate?: string) => [
  'Host',
  'miner',
  'Content-Length',
  String(written.body.length),
  'arbor-envelope',
  written.envelope,
  ...(certificate === undefined ? [] : ['arbor-certificate', certificate]),
]

/** What comes off a socket. */
export interface Incoming {
  readonly raw: readonly string[]
  readonly body: Uint8Array
  readonly method?: string
  readonly path?: string
  readonly now?: number
}

/** A miner's side, in the order of docs/protocol.md; answers with a code, or with the opened question. */
export interface Receiver {
  readonly table: SessionTable
  receive(
    incoming: Incoming,
  ):
    | { readonly ok: true; readonly body: Uint8Array; readonly request: ReadRequest; readonly keys: PairKeys | null }
    | { readonly ok: false; readonly code: string }
  /** Signatures of hotkeys that were verified. */
  readonly verified: () => number
}

export const createReceiver = (of: {
  readonly serve: Session
  readonly store?: SessionStore
  readonly limits?: SessionLimits
}): Receiver => {
  const table = openSessionTable({
    store: of.store ?? createMemorySessionStore(),
    ...(of.limits ? { limits: of.limits } : {}),
  })
  const pairs = createPairKeyCache()
  const receiver = of.serve.certificate.hotkey
  const refused = (code: string) => ({ ok: false, code }) as const
  let verified = 0

  const certificateOf = (
    request: ReadRequest,
    now: UnixMs,
  ): { readonly ok: true; readonly certificate: Certificate } | { readonly ok: false; readonly code: string } => {
    const found = table.find(request.sessionKey, now)
    if (!found.ok) return found
    if (found.session !== null)
      return request.certificate === null || request.certificate === found.session.certificate.text
        ? { ok: true, certificate: found.session.certificate }
        : refused('WIRE_CERTIFICATE')
    if (request.certificate === null) return refused('WIRE_SESSION')
    const read = readCertificate(request.certificate)
    if (!read.ok) return read
    const { certificate } = read
    if (certificate.key !== request.sessionKey) return refused('WIRE_CERTIFICATE')
    const judged = judgeCertificate(certificate, {
      now,
      genesisHash: GENESIS,
      netuid: NETUID,
      purpose: 'ask',
      reader: receiver,
    })
    if (!judged.ok) return judged
    const fresh = table.judge(certificate)
    if (!fresh.ok) return fresh
    if (certificate.registeredAt !== REGISTERED) return refused('WIRE_REGISTRATION')
    verified += 1
    return verifyCertificate(certificate) ? { ok: true, certificate } : refused('WIRE_CERTIFICATE')
  }

  const receive: Receiver['receive'] = (incoming) => {
    const now = (incoming.now ?? NOW) as UnixMs
    const read = readRequest(incoming.raw)
    if (!read.ok) return read
    const { request } = read
    const meant = judgeReceiver(request, { receiver, netuid: NETUID })
    if (!meant.ok) return meant
    const asker = certificateOf(request, now)
    if (!asker.ok) return asker
    const { certificate } = asker
    const keys = request.withKey === of.serve.certificate.key ? pairs.get(of.serve, certificate) : null
    for (const verdict of [
      judgeProof(request, { certificate, keys }),
      judgeTime(request, now),
      judgeTarget(request, { method: incoming.method ?? 'POST', path: incoming.path ?? '/chat' }),
    ])
      if (!verdict.ok) return verdict
    const admitted = table.admit(certificate, now)
    if (!admitted.ok) return admitted
    const counted = admitted.session.window.take(request.fields.counter)
    if (!counted.ok) return counted
    const length = judgeLength(request, LIMIT)
    if (!length.ok) return length
    const body = openBody(request, { body: incoming.body, keys })
    return body.ok ? { ok: true, body: body.body, request, keys } : body
  }
  return { table, receive, verified: () => verified }
}

/** Tells a verdict in one word. */
export const codeOf = (verdict: { readonly ok: boolean; readonly code?: string; readonly fault?: string }): string =>
  verdict.ok ? 'ok' : (verdict.code ?? verdict.fault ?? '?')

/** Flips one bit of a copy. */
export const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  Uint8Array.from(bytes).with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
