import { Buffer } from 'node:buffer'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A secret that a test knows: a text (phrase, password, token) or bytes (seed, private key). */
export interface Secret {
  readonly name: string
  readonly value: string | Uint8Array
}

/** Where something may have leaked to. */
export interface Place {
  readonly name: string
  readonly content: Uint8Array
}

/** A secret in a place, by name: the secret itself is not repeated. */
export interface Leak {
  readonly secret: string
  readonly spelling: string
  readonly place: string
}

/** Characters by which the beginning of a secret is known. */
const BEGINNING = 16

/** Every way in which a secret is looked for. A text shorter than 8 characters is refused, since it is found anywhere. */
const spellings = ({ name, value }: Secret): readonly (readonly [string, string])[] => {
  const bytes = Buffer.from(value)
  if (bytes.length < 8) throw new Error(`${name} is too short to be looked for`)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  // from its second or third byte on a base64 text of something larger has other characters, but for whole groups of three bytes
  const shifted = [1, 2].map((by) => {
    const text = Buffer.concat([Buffer.alloc(by), bytes]).toString('base64')
    return text.slice(4, 4 + 4 * Math.floor((bytes.length - 3 + by) / 3))
  })
  const whole: readonly (readonly [string, string])[] = [
    ['hex', bytes.toString('hex')],
    ['hex with 0x', `0x${bytes.toString('hex')}`],
    ['base64', base64],
    ['base64url', base64.replaceAll('+', '-').replaceAll('/', '_')],
    ...shifted.map((text): readonly [string, string] => ['base64 within more', text]),
    ['decimal bytes', [...bytes].join(',')],
    ...(typeof value === 'string' ? ([['text', value]] as const) : [['raw bytes', bytes.toString('latin1')] as const]),
  ]
  return whole.flatMap(([spelling, text]) => [
    [spelling, text] as const,
    ...(text.length > BEGINNING ? [[`beginning of ${spelling}`, beginning(spelling, text)] as const] : []),
  ])
}

const beginning = (spelling: string, text: string): string =>
  text.slice(0, BEGINNING + (spelling === 'hex with 0x' ? 2 : 0))

/** Finds secrets in what processes said and wrote; upper and lower case of hexadecimal digits are the same. */
export const findLeaks = (secrets: readonly Secret[], places: readonly Place[]): readonly Leak[] => {
  const wanted = secrets.flatMap((secret) => spellings(secret).map((spelling) => ({ secret: secret.name, spelling })))
  return places.flatMap(({ name: place, content }) => {
    const text = Buffer.from(content).toString('latin1')
    const lower = text.toLowerCase()
    return wanted
      .filter(({ spelling: [kind, form] }) =>
        kind.includes('hex')
          ? lower.includes(form)
          : text.includes(Buffer.from(form, kind.includes('raw') ? 'latin1' : 'utf8').toString('latin1')),
      )
      .map(({ secret, spelling: [kind] }) => ({ secret, spelling: kind, place }))
  })
}

/** Reads every file below a folder, but for those that may hold secrets. */
export const filesBelow = (folder: string, mayHold: (path: string) => boolean): readonly Place[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile() && !mayHold(path))
    .map((path) => ({ name: path, content: readFileSync(path) }))
