import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { changeKeys } from '@arbor/gateway/keys/file'
import { makeKey } from '@arbor/gateway/keys/key'
import { systemClock } from '@arbor/shared/clock'
import type { NetUid } from '@arbor/shared/units'
import type { Children } from './children.ts'
import type { NetPaths } from './command-lines.ts'
import type { Served } from './models.ts'

/** Where users ask, and with what. */
export interface GatewayPlace {
  /** Without the `/v1`. */
  readonly url: string
  /** File that holds the key and nothing else. */
  readonly keyFile: string
  readonly key: string
}

/** Whose hotkey, scores and audits the gateway works with. */
const VALIDATOR = 'validator-1'
const KEY_NAME = 'local'
const CONCURRENT = 16

/** Starts a gateway beside the first validator, with a fresh key in a file, and waits until it listens. */
export async function startGateway(of: {
  readonly children: Children
  readonly paths: NetPaths
  readonly serving: Served
  /** Of the chain. */
  readonly url: string
  readonly netuid: NetUid
  readonly signal: AbortSignal
}): Promise<GatewayPlace> {
  const { children, paths, signal } = of
  const keys = join(paths.data, 'gateway-keys.json')
  const keyFile = join(paths.data, 'gateway-key')
  const key = writeKey({ keys, keyFile })
  await children.waitFor(VALIDATOR, 'validator.ready', signal) // its data folder holds what users' answers go into
  children.start('gateway', gatewayArgs({ ...of, keys }))
  const { fields } = await children.waitFor('gateway', 'gateway.ready', signal)
  return { url: String(fields.url), keyFile, key }
}

/** The command line of the gateway; the port is whichever is free. */
export const gatewayArgs = (of: {
  readonly paths: NetPaths
  readonly serving: Served
  readonly url: string
  readonly netuid: NetUid
  readonly keys: string
}): readonly string[] => [
  'gateway',
  '--network',
  of.url,
  '--netuid',
  String(of.netuid),
  '--wallets',
  of.paths.wallets,
  '--wallet',
  VALIDATOR,
  '--spec',
  of.serving.spec,
  '--model',
  of.serving.model,
  '--listen',
  '127.0.0.1:0',
  '--keys',
  of.keys,
  '--validator-data',
  join(of.paths.data, VALIDATOR),
]

const writeKey = ({ keys, keyFile }: { readonly keys: string; readonly keyFile: string }): string => {
  const { text, id, hash } = makeKey(randomBytes)
  const entry = { id, name: KEY_NAME, hash, createdAt: new Date(systemClock.now()).toISOString() }
  changeKeys(keys, (known) => [...known.filter(({ name }) => name !== KEY_NAME), { ...entry, concurrent: CONCURRENT }])
  writeFileSync(keyFile, `${text}\n`, { mode: 0o600 })
  return text
}

/** Writes a line for a shell that asks a first question. */
export const curlLine = ({ url, keyFile }: Omit<GatewayPlace, 'key'>, model: string): string => {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'What is ownership?' }], max_tokens: 32 })
  return `curl -s ${url}/v1/chat/completions -H "Authorization: Bearer $(cat '${keyFile}')" -H 'Content-Type: application/json' -d '${body}'`
}
