import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openEngine } from '@arbor/engine/open'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { must, type Net, startNet } from './support/net.ts'
import type { Running, Said } from './support/process.ts'

/** Who trains: two from the start, one that is late; two that cheat. */
const TOGETHER = ['miner-1', 'miner-2']
const LATE = 'miner-3'
const CHEATS = { 'miner-4': 'zeros', 'miner-5': 'copy' } as const
const VALIDATORS = ['validator-1', 'validator-2']
/** Rounds that the whole story takes, at most: half a minute of them is spare. */
const ROUNDS = 9

let net: Net
const started = new Map<string, Running>()
const running = (name: string): Running => must(started.get(name))

const start = (name: string, ...more: readonly string[]): Running => {
  const serve = VALIDATORS.includes(name) ? ['--serve', '127.0.0.1:0'] : []
  const process = net.start(name, '--spec', 'finetune-tiny', ...serve, ...more)
  started.set(name, process)
  return process
}

beforeAll(async () => {
  net = await startNet({ honest: 5, validators: 2, address: 211, blockTime: '2s' })
  for (const name of [...VALIDATORS, ...TOGETHER]) start(name)
  for (const [name, attack] of Object.entries(CHEATS)) start(name, '--cheat', attack)
}, 60_000)
afterAll(() => net.close())

/** Waits for a validator's merge of a round, or of a later one. */
const merged = (name: string, fits: (said: Said) => boolean): Promise<Said> =>
  running(name).event('training.merged', (said) => fits(said))

const uidOf = async (name: string): Promise<number> => {
  const { neurons } = await net.client.metagraph(1 as never)
  return must(neurons.find(({ hotkey }) => hotkey === net.member(name).hotkey)).uid
}

const mergedUids = (said: Said): readonly number[] => said.merged as readonly number[]

test('a net trains one model while a miner is killed, another one joins late, and two cheat', async () => {
  const uids = new Map<string, number>()
  for (const { name } of net.members) uids.set(name, await uidOf(name))
  const uid = (name: string): number => must(uids.get(name))

  // both honest miners' updates are merged into the model
  const first = await merged('validator-1', (said) => TOGETHER.every((name) => mergedUids(said).includes(uid(name))))
  const begun = Number(first.round)

  // a miner dies in the middle of a round, and is in the merge of a later one
  const inRound = await running('miner-1').event('training.round', ({ round }) => Number(round) > begun)
  await running('miner-1').kill9()
  const again = start('miner-1')
  // somebody joins who has nothing
  const late = start(LATE)
  const joined = await late.event('training.joined')
  await again.event('training.committed')
  const back = await merged('validator-1', (said) => {
    const round = Number(said.round)
    return round >= Number(inRound.round) && mergedUids(said).includes(uid('miner-1'))
  })
  const all = await merged('validator-1', (said) =>
    [...TOGETHER, LATE].every((name) => mergedUids(said).includes(uid(name))),
  )
  expect(Number(back.round)).toBeLessThanOrEqual(Number(all.round))
  expect(Number(all.round) - begun).toBeLessThan(ROUNDS)
  await merged('validator-2', ({ round }) => round === all.round)

  // no round was lost, and both validators and the late miner have the same bytes after each
  const checkpoints = (name: string): ReadonlyMap<number, string> =>
    new Map(
      running(name)
        .events.filter(({ event }) => event === 'training.merged')
        .map(({ round, checkpoint }) => [Number(round) + 1, String(checkpoint)]),
    )
  const [one, two, three] = [checkpoints('validator-1'), checkpoints('validator-2'), checkpoints(LATE)]
  for (let round = begun + 1; round <= Number(all.round) + 1; round += 1) {
    expect(one.get(round), `validator-1 in round ${round}`).toBeDefined()
    expect(two.get(round), `validator-2 in round ${round}`).toBe(one.get(round))
  }
  expect(one.get(Number(joined.round)) ?? two.get(Number(joined.round))).toBe(joined.checkpoint)
  for (const [round, name] of three) expect(one.get(round) ?? name).toBe(name)
  expect(new Set(one.values()).size).toBe(one.size)

  // cheats were merged never, and the model is better on text that nobody trained on
  const merges = running('validator-1').events.filter(({ event }) => event === 'training.merged')
  const losses = merges.map(({ heldOut }) => Number(heldOut))
  expect(losses.at(-1)).toBeLessThan(must(losses[0]))
  for (const said of merges) for (const cheat of Object.keys(CHEATS)) expect(mergedUids(said)).not.toContain(uid(cheat))

  // both validators' rows on the chain pay who trained and nobody else
  const rows = await net.until(async () => {
    const found = await Promise.all(VALIDATORS.map(async (name) => net.client.weights(1 as never, uid(name) as never)))
    const whole = found.every((row) => TOGETHER.every((name) => row.some(([of]) => of === uid(name))))
    return whole ? found : undefined
  })
  for (const row of rows)
    for (const cheat of Object.keys(CHEATS)) expect(row.map(([of]) => of)).not.toContain(uid(cheat))
}, 400_000)

/** Runs a command of `arbor finetune` to its end. */
const finetune = async (...words: readonly string[]): Promise<string> => {
  const command = net.run(['finetune', ...words, '--json'])
  const code = await new Promise((resolve) => command.child.once('close', resolve))
  expect(code, command.text()).toBe(0)
  return command.text()
}

test('the model that came of it answers in an inference engine, and its history is a page', async () => {
  const served = String((await running('validator-1').event('receipts.serving')).url)
  const from = ['--spec', 'finetune-tiny', '--url', served, '--network', net.url]
  const folder = join(net.folder, 'trained')
  const exported = JSON.parse(await finetune('export', ...from, '--name', 'trained', '--out', folder, '--no-calibrate'))
  expect(exported).toMatchObject({ name: 'trained', confirmed: true })
  const engine = await openEngine({ folder })
  try {
    expect(engine.model.hash).toBe(exported.hash)
    const seed = `0x${'11'.repeat(32)}` as const
    const answer = await engine.generate({ prompt: 'Ownership is', maxTokens: 8, temperature: 0, seed })
    expect(answer.tokens.length).toBeGreaterThan(0)
  } finally {
    await engine.close()
  }
  const page = join(net.folder, 'report.html')
  expect(JSON.parse(await finetune('report', '--url', served, '--out', page))).toMatchObject({ file: page })
  expect(readFileSync(page, 'utf8')).toMatch(/<svg[\s\S]*<polyline/)
}, 60_000)
