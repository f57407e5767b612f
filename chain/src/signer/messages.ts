import { type Field, isBytes, isUint } from '@arbor/shared/protocol/canonical'
import { MAX_PAYLOAD_BYTES } from './frames.ts'
import { RULES, type Rule, SIGN_KINDS, type SignKind } from './rules.ts'

/** First field of a connection's first message; another protocol takes the next number. */
export const HELLO = 'arbor/signer/1'
export const TOKEN_BYTES = 32
const MAX_ID = 0xffff_ffff

/** What a client says, after its hello. */
export type Asked =
  | { readonly is: 'keys'; readonly id: number }
  | { readonly is: 'status'; readonly id: number }
  | {
      readonly is: 'sign'
      readonly id: number
      /** 32 bytes. */
      readonly publicKey: Uint8Array
      readonly kind: SignKind
      readonly bytes: Uint8Array
    }

/** What a signer answers. */
export type Answered =
  | { readonly is: 'welcome' }
  | { readonly is: 'keys'; readonly id: number; readonly publicKeys: readonly Uint8Array[] }
  | { readonly is: 'status'; readonly id: number; readonly json: string }
  | { readonly is: 'signature'; readonly id: number; readonly signature: Uint8Array }
  | { readonly is: 'refused'; readonly id: number; readonly rule: Rule; readonly why: string }

export const helloFields = (token: Uint8Array): readonly Field[] => [HELLO, token]

/** Reads a hello's token; null when it is no hello. */
export const readHello = (fields: readonly Field[]): Uint8Array | null => {
  const [tag, token] = fields
  return fields.length === 2 && tag === HELLO && isBytes(token, TOKEN_BYTES) ? token : null
}

export const askedFields = (asked: Asked): readonly Field[] =>
  asked.is === 'sign' ? ['sign', asked.id, asked.publicKey, asked.kind, asked.bytes] : [asked.is, asked.id]

/** Reads what a client asks; null when it is nothing that a client asks. */
export const readAsked = (fields: readonly Field[]): Asked | null => {
  const [is, id, publicKey, kind, bytes] = fields
  if (!isUint(id, MAX_ID)) return null
  if (fields.length === 2 && (is === 'keys' || is === 'status')) return { is, id }
  if (fields.length !== 5 || is !== 'sign' || !isBytes(publicKey, 32) || !isKind(kind)) return null
  if (!(bytes instanceof Uint8Array) || bytes.length === 0 || bytes.length > MAX_PAYLOAD_BYTES) return null
  return { is, id, publicKey, kind, bytes }
}

const isKind = (field: Field | undefined): field is SignKind =>
  typeof field === 'string' && (SIGN_KINDS as readonly string[]).includes(field)

export const answeredFields = (answered: Answered): readonly Field[] => {
  switch (answered.is) {
    case 'welcome':
      return ['welcome']
    case 'keys':
      return ['keys', answered.id, ...answered.publicKeys]
    case 'status':
      return ['status', answered.id, answered.json]
    case 'signature':
      return ['signature', answered.id, answered.signature]
    case 'refused':
      return ['refused', answered.id, answered.rule, answered.why]
  }
}

/** Reads what a signer answers; null when it is nothing that a signer answers. */
export const readAnswered = (fields: readonly Field[]): Answered | null => {
  const [is, id, value, why] = fields
  if (is === 'welcome') return fields.length === 1 ? { is } : null
  if (!isUint(id, MAX_ID)) return null
  if (is === 'keys') {
    const publicKeys = fields.slice(2)
    return publicKeys.every((key) => isBytes(key, 32)) ? { is, id, publicKeys } : null
  }
  if (is === 'status') return fields.length === 3 && typeof value === 'string' ? { is, id, json: value } : null
  if (is === 'signature') return fields.length === 3 && isBytes(value, 64) ? { is, id, signature: value } : null
  if (is !== 'refused' || fields.length !== 4 || typeof why !== 'string') return null
  return typeof value === 'string' && Object.hasOwn(RULES, value) ? { is, id, rule: value as Rule, why } : null
}
