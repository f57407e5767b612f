import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkCompat } from '../src/client/compat.ts'
import { callNeeds } from '../src/client/needs/calls.ts'
import { features } from '../src/client/needs/features.ts'
import { apiNeeds, constantNeeds, errorNeeds, eventNeeds } from '../src/client/needs/others.ts'
import { storageNeeds } from '../src/client/needs/storage.ts'
import { readRuntime } from '../src/client/read-runtime.ts'
import { blobMetadata } from './support/blob.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'needs' ? [] : walk(path)
    return /\.tsx?$/.test(entry.name) ? [path] : []
  })
const textOf = (...folders: string[]): string =>
  folders
    .flatMap((folder) => walk(join(root, folder)))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
const client = textOf('chain/src/client', 'chain/src/timelock', 'chain/src/beacon')
const users = textOf('cli/src', 'miner/src', 'validator/src')
const all = client + users

const names = (needs: object): string[] => Object.keys(needs)
const last = (name: string): string => name.split('.')[1] ?? ''
const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '')

describe('table of what Arbor uses of a chain', () => {
  it('names no call that nothing makes', () => {
    const settings = matches(users, /parameter: '(\w+)'/g).map((name) => `sudo_set_${name}`)
    const unused = names(callNeeds).filter(
      (name) => !client.includes(`make('${name}'`) && !settings.includes(last(name)),
    )
    expect(unused).toEqual([])
  })

  it('names every call that is made by its parts, and every setting with its argument', () => {
    expect(matches(all, /call: '(\w+)'/g)).toEqual([])
    const rules = [...users.matchAll(/parameter: '(\w+)', argument: '(\w+)'/g)]
    expect(rules.length).toBeGreaterThan(3)
    for (const [, parameter, argument] of rules) {
      const need = Object.entries(callNeeds).find(([name]) => name === `AdminUtils.sudo_set_${parameter}`)?.[1]
      expect(Object.keys(need?.args ?? {}), parameter).toEqual(['netuid', argument])
    }
  })

  it('names no storage item that nothing reads', () => {
    const unused = names(storageNeeds).filter((name) => !new RegExp(`['.]${last(name)}[']`).test(all))
    expect(unused).toEqual([])
  })

  it('names every storage item and constant that is read by its parts', () => {
    const read = [...users.matchAll(/\.read\(\s*'(\w+)',\s*'(\w+)'/g)].map(([, pallet, item]) => `${pallet}.${item}`)
    expect(read.length).toBeGreaterThan(2)
    expect(read.filter((name) => !(name in storageNeeds))).toEqual([])
    const constants = [...users.matchAll(/\.constant\(\s*'(\w+)',\s*'(\w+)'/g)].map(([, a, b]) => `${a}.${b}`)
    expect([...new Set(constants)]).toEqual(names(constantNeeds))
    expect(matches(client, /pallet: '(\w+)'/g)).toEqual(['AdminUtils'])
  })

  it('names the runtime APIs, events and errors that the sources name, and no others', () => {
    const apis = matches(client, /'(\w+RuntimeApi\.\w+)'/g)
    expect([...new Set(apis)].sort()).toEqual(names(apiNeeds).sort())
    const told = [...names(eventNeeds), ...names(errorNeeds)].filter((name) => !client.includes(`'${name}'`))
    // The miner knows the errors of serving by these words.
    const words = /\/(InvalidIp\|InvalidPort\|NotRegistered)\//.exec(users)?.[1] ?? 'nothing'
    expect(told.filter((name) => !new RegExp(words).test(name))).toEqual([])
    expect(told.length).toBeGreaterThan(0)
  })

  it('uses every feature', () => {
    const used = [callNeeds, storageNeeds, apiNeeds, constantNeeds, eventNeeds, errorNeeds].flatMap((needs) =>
      Object.values(needs).flatMap((need: { readonly for: readonly string[] }) => need.for),
    )
    expect([...new Set(used)].sort()).toEqual(Object.keys(features).sort())
  })

  it('is all there in the runtime that comes with Arbor', async () => {
    const report = checkCompat(readRuntime(await blobMetadata(), null))
    const bad = report.findings.filter(({ status }) => status === 'missing' || status === 'changed')
    expect(bad.map(({ kind, name, status, found }) => `${kind} ${name} ${status} ${found}`)).toEqual([])
  })
})
