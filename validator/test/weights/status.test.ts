import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFacts } from '../../src/weights/facts.ts'
import { statusLines, statusOf, statusSchema } from '../../src/weights/status.ts'
import { statusCommand } from '../../src/weights/status-command.ts'
import { awaitPermit, epochBegins, type Net, netuid, register, stake, startNet, validator } from './net.ts'
import { type Setter, startSetter } from './setter.ts'

const miner = keypairFromUri('//Bob//miner')
let net: Net
let setter: Setter
let data: string
let uid: Uid

const live = async () => ({
  url: 'ws://chain',
  facts: await readFacts({ chain: net.client, netuid, mechanism: 0, hotkey: validator }, await net.snapshot()),
  blockMs: 1_000,
})
const status = async (withChain: boolean) =>
  statusSchema.parse(
    statusOf({
      ledger: setter.ledger,
      owner: { netuid, hotkey: validator.address },
      mechanism: 0,
      live: withChain ? await live() : null,
      away: withChain ? null : 'CHAIN_UNREACHABLE: no chain answers',
    }),
  )
/** Runs the command on the ledger's folder while the validator has it open, with no chain to ask. */
const command = async (...words: string[]): Promise<string> => {
  const out: string[] = []
  const write = (text: string): boolean => out.push(text) > 0
  const context = {
    cwd: data,
    homedir: data,
    signal: new AbortController().signal,
    stdout: { write },
    stderr: { write },
  }
  const made = statusCommand(context as unknown as Parameters<typeof statusCommand>[0])
  await made.parseAsync(['--network', 'ws://127.0.0.1:1', ...words], { from: 'user' })
  return out.join('')
}

beforeAll(async () => {
  net = await startNet()
  data = mkdtempSync(join(tmpdir(), 'arbor-status-'))
  await register(net, [validator, miner])
  await stake(net, validator, 500)
  await awaitPermit(net, validator)
  uid = await net.uidOf(miner.address)
  setter = startSetter(net, { file: join(data, 'ledger.sqlite') })
})
afterAll(async () => {
  setter?.ledger.close()
  await net?.close()
  rmSync(data, { recursive: true, force: true })
})

describe('validator status', () => {
  it('tells what was set and which rule the next row waits for, in blocks and seconds', async () => {
    await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 30 })
    setter.set([[uid, 65_535]])
    await setter.until('confirmed')
    await net.blocks(1)
    await setter.pass()
    const found = await status(true)
    expect(found).toMatchObject({
      confirmed: { method: 'open', row: [[uid, 65_535]], state: 'confirmed', moves: expect.any(Array) },
      next: { rule: 'rate-limit', at: expect.any(Number), inBlocks: expect.any(Number), todo: null },
      pending: [],
    })
    expect(found.next.etaSeconds).toBe(found.next.inBlocks)
    expect(found.temposSinceInclusion).toBeGreaterThan(0)
    expect(statusLines(found).join('\n')).toMatch(
      /next {6}waits for rate-limit: .*; at block \d+, in \d+ blocks \(about \d+ s\)/,
    )
  })

  it('C-06 tells in how many blocks a commit is revealed', async () => {
    await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 0 })
    await net.rule('commit_reveal_weights_enabled', { enabled: true })
    await epochBegins(net)
    await setter.until('committed')
    await net.blocks(1)
    await setter.pass()
    const found = await status(true)
    expect(found.pending).toMatchObject([{ method: 'salted', status: 'waiting', inBlocks: expect.any(Number) }])
    expect(found.next).toMatchObject({ rule: 'pending' })
    expect(statusLines(found).join('\n')).toMatch(/revealed in blocks \d+ to \d+, \d+ blocks from now \(waiting\)/)
  })

  it('tells the ledger alone while the chain is away, and the validator goes on writing it', async () => {
    const found = statusSchema.parse(JSON.parse(await command('--data', data, '--json')))
    expect(found).toEqual({ ...(await status(false)), away: expect.stringMatching(/^CHAIN_UNREACHABLE/) })
    expect(found).toMatchObject({
      chain: null,
      hotkey: validator.address,
      pending: [{ status: 'unknown', from: expect.any(Number) }],
      next: { rule: 'pending', asOf: expect.any(Number) },
    })
    expect(await command('--data', data)).toMatch(/^validator .* in subnet 1, mechanism 0\nchain {5}away: /)
    await setter.until('confirmed')
  }, 30_000)

  it('asks for the folder when there is none or more than one', async () => {
    await expect(command()).rejects.toMatchObject({ code: 'VALIDATOR_NO_LEDGER' })
    await expect(command('--data', join(data, 'none'))).rejects.toMatchObject({ code: 'VALIDATOR_NO_LEDGER' })
  })
})
