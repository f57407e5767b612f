import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hex } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlobSource } from '../src/types.ts'
import { createMember, folders, type Member, serving, uids, updateOf } from './subnet.ts'
import { createNet, hex32, type Net, until } from './support.ts'

const VALIDATORS = ['ann', 'ben', 'cat'] as const
const MINERS = ['m3', 'm4', 'm5', 'm6'] as const
const members = [
  ...VALIDATORS.map((name, index) => ({ name, stake: 100n + BigInt(index), permit: true })),
  ...MINERS.map((name) => ({ name, stake: 0n, permit: false })),
]
const FIRST = 2

let disk: ReturnType<typeof folders>
let net: Net
let servers: Map<string, BlobSource>
let validators: Map<string, Member>
const all: Member[] = []

beforeEach(() => {
  disk = folders()
  net = createNet(members, FIRST * 10)
  servers = new Map()
  validators = new Map()
  for (const name of VALIDATORS) {
    const member = join_(name)
    validators.set(name, member)
    servers.set(`http://${name}/blobs/`, { fetch: (of) => serving(member.store).fetch(of) })
  }
})
afterEach(async () => {
  await Promise.all(all.splice(0).map((member) => member.kill()))
  disk.remove()
})

const join_ = (name: string): Member => {
  const member = createMember({ net, folder: disk.of(name), servers })
  all.push(member)
  return member
}
const validator = (name: string): Member => validators.get(name) as Member

/** What happens in a round besides everything going well. */
interface Script {
  /** Uids that nobody can fetch, that commit too late, that commit nothing, that take it back. */
  readonly unavailable?: readonly number[]
  readonly late?: readonly number[]
  readonly missing?: readonly number[]
  readonly withdrawn?: readonly number[]
  /** Validators that do not get hold of these uids in time. */
  readonly misses?: Readonly<Record<string, readonly number[]>>
  /** Validators that vote; all when absent. */
  readonly voters?: readonly string[]
}

/** Plays one round; gives the base, and the checkpoint that each of those who take part came to. */
const play = async (
  round: number,
  taking: readonly Member[],
  script: Script = {},
): Promise<readonly (Hex | null)[]> => {
  const start = round * 10
  net.to(start)
  await Promise.all(taking.map((member) => member.handled(`${round} start`)))
  const base = taking[0]?.current() ?? hex32('none')
  const files = new Map<number, { file: Uint8Array }>()
  net.to(start + 1)
  const commit = (uid: number): void => {
    const { file, commitment } = updateOf({ miner: `m${uid}`, round, base })
    if (script.unavailable?.includes(uid) !== true) files.set(uid, { file })
    net.commit(`m${uid}`, commitment)
  }
  for (const uid of [3, 4, 5, 6]) if (![...(script.missing ?? []), ...(script.late ?? [])].includes(uid)) commit(uid)
  net.to(start + 3)
  for (const uid of script.withdrawn ?? []) {
    const { commitment } = updateOf({ miner: `m${uid}`, round, base })
    net.commit(`m${uid}`, { ...commitment, bytes: 0 })
    files.delete(uid)
  }
  net.to(start + 5)
  for (const uid of script.late ?? []) commit(uid)
  await Promise.all(taking.map((member) => member.handled(`${round} published`)))
  for (const [index, name] of VALIDATORS.entries()) {
    const member = validators.get(name)
    if (member === undefined || !taking.includes(member)) continue
    const got = [...files.keys()].filter((uid) => script.misses?.[name]?.includes(uid) !== true)
    const order = index === 1 ? got.toReversed() : [...got.slice(index), ...got.slice(0, index)]
    for (const uid of order) member.store.write(files.get(uid)?.file ?? new Uint8Array())
    if (script.voters?.includes(name) ?? true)
      net.vote(name, { round, base: member.current() ?? base, accepted: uids(...got.toSorted((a, b) => a - b)) })
  }
  net.to(start + 8)
  await Promise.all(taking.map((member) => member.handled(`${round} voted`)))
  return taking.map((member) => member.current())
}

const SCRIPTS: Readonly<Record<number, Script>> = {
  3: { late: [4], missing: [6] },
  4: { withdrawn: [3], unavailable: [5] },
  5: { misses: { ann: [3, 4, 5, 6] } },
  6: { voters: [] },
  7: { misses: { ann: [3], ben: [3] } },
  8: { voters: ['cat'], unavailable: [3, 4] },
  9: { voters: ['ann'], misses: { ann: [3, 4, 5, 6] } },
  10: { late: [3, 4, 5, 6] },
}

const startAll = (): Member[] => {
  const members = VALIDATORS.map(validator)
  for (const member of members) member.start()
  return members
}

describe('participants', () => {
  test('come to the same checkpoint over 10 rounds, whatever came late, never, back or not to all of them', async () => {
    const taking = startAll()
    const names: Hex[] = []
    for (let round = FIRST; round < FIRST + 10; round += 1) {
      const hashes = await play(round, taking, SCRIPTS[round])
      expect(new Set(hashes).size, `round ${round}`).toBe(1)
      expect(hashes[0]).not.toBeNull()
      names.push(hashes[0] as Hex)
    }
    expect(new Set(names).size).toBe(10)
    const merged = taking[0]?.merges.map(({ plan }) => [plan.round, plan.merged.map(({ uid }) => uid)])
    expect(merged).toEqual([
      [2, [3, 4, 5, 6]],
      [3, [3, 5]],
      [4, [4, 6]],
      [5, [3, 4, 5, 6]],
      [6, []],
      [7, [4, 5, 6]],
      [8, [5, 6]],
      [9, []],
      [10, []],
      [11, [3, 4, 5, 6]],
    ])
    expect(taking.flatMap((member) => member.failed)).toEqual([])
    for (const { seen } of taking)
      expect(seen).toEqual(seen.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)))
    expect(taking[0]?.merges.map(({ before }) => before).slice(1)).toEqual(names.slice(0, 9))
  })

  test('that join in round 7 reach the same checkpoint from what validators serve', async () => {
    const taking = startAll()
    for (let round = FIRST; round < 7; round += 1) await play(round, taking, SCRIPTS[round])
    const joiner = join_('joiner')
    joiner.start()
    await until(() => joiner.current() !== null, 'it caught up')
    expect([joiner.round(), joiner.current()]).toEqual([7, taking[0]?.current()])
    for (let round = 7; round < 10; round += 1)
      expect(new Set(await play(round, [...taking, joiner], SCRIPTS[round])).size, `round ${round}`).toBe(1)
    expect(joiner.seen[0]).toBe('7 start')
  })

  test('that join late replay merges since the newest whole checkpoint that is still served', async () => {
    const taking = startAll()
    for (let round = FIRST; round < 12; round += 1) await play(round, taking)
    // Of whole checkpoints only that of round 8 is left with anybody.
    const whole = taking[0]?.merges.find(({ checkpoint }) => checkpoint.round === 8)?.hash
    for (const name of VALIDATORS) {
      const { store } = validator(name)
      servers.set(`http://${name}/blobs/`, {
        fetch: (of) =>
          (of.bytes > 1_500 && of.name !== whole ? serving({ ...store, read: () => null }) : serving(store)).fetch(of),
      })
    }
    const joiner = join_('joiner')
    joiner.start()
    await until(() => joiner.said.length > 0, 'it caught up')
    expect(joiner.said).toContainEqual(expect.objectContaining({ event: 'training.caught-up', round: 12, replayed: 4 }))
    expect(joiner.current()).toBe(taking[0]?.current())
  })

  test('that join where nobody has ever voted begin with the model itself, as all others do', async () => {
    const taking = startAll()
    await play(FIRST, taking, { voters: [] })
    const joiner = join_('joiner')
    joiner.start()
    await until(() => joiner.current() !== null, 'it began')
    expect(joiner.current()).toBe(taking[0]?.current())
  })

  test('that were killed go on where they were, as often as it happens', async () => {
    const taking = startAll()
    const ann = validator('ann')
    for (let round = FIRST; round < FIRST + 4; round += 1) {
      net.to(round * 10 + 1)
      await ann.handled(`${round} start`)
      await ann.kill()
      ann.seen.length = 0
      ann.start()
      const hashes = await play(round, taking)
      expect(new Set(hashes).size, `round ${round}`).toBe(1)
      expect(ann.seen).toEqual([`${round} start`, `${round} published`, `${round} voted`])
    }
  })

  test('that slept through rounds merge or fetch what they missed', async () => {
    const taking = startAll()
    const [, ben, cat] = taking as [Member, Member, Member]
    await play(FIRST, taking)
    await validator('ann').kill()
    for (const round of [3, 4]) await play(round, [ben, cat])
    validator('ann').start()
    await validator('ann').handled('4 voted')
    expect(validator('ann').current()).toBe(ben.current())
    await validator('ann').kill()
    for (const round of [5, 6, 7, 8, 9]) await play(round, [ben, cat])
    validator('ann').start()
    await until(() => validator('ann').current() === ben.current(), 'it caught up')
    expect(new Set(await play(10, taking)).size).toBe(1)
  })

  describe('after a kill that left files half-written', () => {
    const damages: readonly (readonly [string, (folder: string) => void])[] = [
      ['the newest note is cut off', (folder) => truncateSync(join(folder, 'training.json'), 20)],
      ['the note is empty', (folder) => truncateSync(join(folder, 'training.json'), 0)],
      [
        'the note is not there yet',
        (folder) => writeFileSync(join(folder, 'training.json.new'), '{"version":1,"rounds":['),
      ],
      [
        'every file is cut off',
        (folder) => {
          for (const file of readdirSync(join(folder, 'blobs'))) truncateSync(join(folder, 'blobs', file), 100)
        },
      ],
      [
        'one bit of every file is another one',
        (folder) => {
          for (const file of readdirSync(join(folder, 'blobs'))) {
            const bytes = readFileSync(join(folder, 'blobs', file))
            bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
            writeFileSync(join(folder, 'blobs', file), bytes)
          }
        },
      ],
      ['a file was being written', (folder) => writeFileSync(join(folder, 'blobs', `${'ab'.repeat(32)}.new`), 'half')],
    ]
    test.each(damages)('believe nothing of it when %s', async (_, damage) => {
      const taking = startAll()
      for (const round of [2, 3]) await play(round, taking)
      const ann = validator('ann')
      await ann.kill()
      damage(disk.of('ann'))
      ann.seen.length = 0
      ann.start()
      for (const round of [4, 5]) expect(new Set(await play(round, taking)).size, `round ${round}`).toBe(1)
      expect(ann.failed).toEqual([])
    })
  })

  test('that were killed between the merge and its note merge again', async () => {
    const taking = startAll()
    const ann = validator('ann')
    await play(2, taking)
    const before = readFileSync(join(disk.of('ann'), 'training.json'))
    await play(3, taking)
    const hash = ann.current()
    await ann.kill()
    writeFileSync(join(disk.of('ann'), 'training.json'), before)
    ann.seen.length = 0
    ann.start()
    await ann.handled('3 voted')
    expect([ann.current(), ann.seen]).toEqual([hash, ['3 start', '3 published', '3 voted']])
  })

  test('whose checkpoint the votes do not name take the one that they name', async () => {
    const taking = startAll()
    await play(2, taking)
    const odd = createMember({ net, folder: disk.of('odd'), servers, deps: { genesis: () => new Float32Array(256) } })
    all.push(odd)
    // It kept a note of another history.
    await play(3, taking)
    const strange = createMember({
      net: createNet(members, 40),
      folder: disk.of('odd'),
      servers,
      deps: { genesis: () => new Float32Array(256) },
    })
    all.push(strange)
    strange.start()
    await until(() => strange.current() !== null, 'it began in a net of its own')
    const own = strange.current()
    await strange.kill()
    net.to(40)
    odd.start()
    await odd.handled('4 start')
    expect(odd.current()).toBe(own)
    expect(new Set(await play(4, [...taking, odd])).size).toBe(1)
    expect(odd.current()).not.toBe(own)
  })

  test('wait for what nobody serves now, and go on when somebody does', async () => {
    const taking = startAll()
    for (const round of [2, 3]) await play(round, taking)
    const kept = new Map(servers)
    servers.clear()
    const joiner = join_('joiner')
    joiner.start()
    await until(() => joiner.said.some(({ code }) => code === 'TRAINING_NO_CHECKPOINT'), 'it says so')
    expect(joiner.current()).toBeNull()
    for (const [url, source] of kept) servers.set(url, source)
    await until(() => joiner.clock.sleeping() > 0, 'it waits')
    await joiner.clock.advance(1_000)
    await until(() => joiner.current() !== null, 'it caught up')
    expect(joiner.current()).toBe(taking[0]?.current())
  })

  test('miss a merge that they cannot make, say so, and come back at the next one', async () => {
    const taking = startAll()
    const [ann, ben, cat] = taking as [Member, Member, Member]
    await play(2, taking)
    const kept = new Map(servers)
    for (const url of kept.keys()) servers.set(url, serving({ ...ann.store, read: () => null }))
    // Ann never got the updates, and nobody serves them to her until the next round's updates are due.
    const playing = play(3, taking, { misses: { ann: [3, 4, 5, 6] } })
    await until(() => ben.seen.includes('3 voted') && cat.seen.includes('3 voted'), 'the others merged')
    await until(() => ann.clock.sleeping() > 0, 'it waits')
    net.to(45)
    await ann.clock.advance(1_000)
    expect((await playing)[0]).toBeNull()
    for (const [url, source] of kept) servers.set(url, source)
    for (const member of [ben, cat]) await member.handled('4 published')
    for (const name of ['ben', 'cat']) net.vote(name, { round: 4, base: ben.current() ?? hex32(''), accepted: [] })
    net.to(48)
    await ann.handled('4 voted')
    await ben.handled('4 voted')
    expect(ann.current()).toBe(ben.current())
  })

  test('say what to do where the facts of the newest merge are gone, and join at the next one', async () => {
    const taking = startAll()
    for (const round of [2, 3]) await play(round, taking)
    net.to(40)
    net.prune(39)
    const joiner = join_('joiner')
    joiner.start()
    await until(() => joiner.clock.sleeping() > 0, 'it waits')
    expect(joiner.said).toMatchObject([{ event: 'training.behind', code: 'TRAINING_STATE_PRUNED' }])
    await play(4, taking)
    await joiner.clock.advance(1_000)
    await until(() => joiner.current() !== null, 'it joined')
    expect(joiner.current()).toBe(taking[0]?.current())
  })

  test('go on with what they hold where nobody has voted since, however long that was', async () => {
    const taking = startAll()
    for (const round of [2, 3]) await play(round, taking)
    const before = taking[0]?.current()
    for (const member of taking) await member.kill()
    net.to(400)
    net.prune(395)
    for (const member of taking) {
      member.seen.length = 0
      member.start()
    }
    const hashes = await play(40, taking)
    expect(new Set(hashes).size).toBe(1)
    expect(hashes[0]).not.toBe(before)
    expect(taking[0]?.merges.at(-1)?.plan).toMatchObject({
      round: 40,
      merged: [{ uid: 3 }, { uid: 4 }, { uid: 5 }, { uid: 6 }],
    })
  })

  test('jump over merges whose facts are gone', async () => {
    const taking = startAll()
    const [ann, ben, cat] = taking as [Member, Member, Member]
    await play(2, taking)
    await ann.kill()
    for (const round of [3, 4]) await play(round, [ben, cat])
    net.prune(44)
    ann.start()
    await until(() => ann.current() === ben.current(), 'it caught up')
    expect(ann.said).toContainEqual(expect.objectContaining({ code: 'TRAINING_STATE_PRUNED' }))
    expect(new Set(await play(5, taking)).size).toBe(1)
  })

  test('that join while the next votes are cast find the one before', async () => {
    const taking = startAll()
    for (const round of [2, 3]) await play(round, taking)
    net.to(46)
    for (const name of VALIDATORS) net.vote(name, { round: 4, base: taking[0]?.current() ?? hex32(''), accepted: [] })
    net.to(47)
    const joiner = join_('joiner')
    joiner.start()
    await until(() => joiner.current() !== null, 'it caught up')
    expect(joiner.current()).toBe(taking[0]?.current())
  })

  test('keep what joiners need, and no more', async () => {
    const taking = startAll()
    for (let round = FIRST; round < 14; round += 1) await play(round, taking, { missing: [5, 6] })
    const ann = validator('ann')
    ann.store.prune({ keep: new Set(), mostBytes: Number.POSITIVE_INFINITY })
    const note = JSON.parse(readFileSync(join(disk.of('ann'), 'training.json'), 'utf8'))
    expect(note.rounds.map(({ round }: { round: number }) => round)).toEqual([8, 9, 10, 11, 12, 13, 14])
    expect(note.rounds.map(({ updates }: { updates: string[] }) => updates.length)).toEqual([2, 2, 2, 2, 2, 2, 0])
  })
})
