import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import { readFacts } from './facts.ts'
import { createMember, type Held, type Member } from './member.ts'
import { netuid, openWorld } from './world.ts'

/** What a validator holds after so many epochs. */
export interface Sample extends Held {
  readonly epochs: number
  /** The ledger with its write-ahead log. */
  readonly ledgerMb: number
  /** Connections to the chain that it has open, and has ever opened. */
  readonly connections: number
  readonly opened: number
}

export interface Endured {
  readonly samples: readonly Sample[]
  readonly epochs: number
  readonly blocks: number
  readonly seconds: number
  readonly confirmed: number
  readonly ended: number
}

/** Runs one validator through many short epochs in which nothing goes wrong. @param of.until stops early, at this time of the machine's */
export const endure = async (of: {
  readonly folder: string
  readonly epochs: number
  readonly tempo: number
  readonly every: number
  readonly until: number
  readonly say: (sample: Sample) => void
}): Promise<Endured> => {
  const since = performance.now()
  const behaviours = ['honest', 'honest', 'wrong', 'flood', 'lie'] as const
  const world = await openWorld({ folder: of.folder, validators: 1, behaviours, tempo: of.tempo, keep: '256' })
  const [key] = world.validators
  if (key === undefined) throw new Error('the world has no validator')
  mkdirSync(join(of.folder, 'validator-1'), { recursive: true })
  const member = await createMember({
    ...{ name: 'validator-1', key, uri: '//Charlie//validator-1', folder: of.folder, book: world.book },
    ...{ seed: 1, speed: 10, chance: 0, most: 0, keepEpochs: 50, roundsPerEpoch: 1, logLevel: 'info' },
    to: () => world.chain.url,
  })
  const samples: Sample[] = []
  try {
    const { number: first } = await world.block()
    member.ensure(first)
    const { epochIndex: before } = await world.reader.metagraph(netuid)
    let epochs = 0
    let blocks = 0
    for (; epochs < of.epochs && Date.now() < of.until; blocks += 1) {
      const { number } = await world.block()
      member.ensure(number)
      await follows(member, number)
      if (blocks % of.tempo !== 0) continue
      epochs = blocks / of.tempo
      if (epochs % of.every !== 0) continue
      const sample = sampleOf(member, epochs)
      if (sample === null) continue
      samples.push(sample)
      of.say(sample)
    }
    const { epochIndex } = await world.reader.metagraph(netuid)
    const confirmed =
      readFacts(member.data)
        ?.attempts.filter(({ state }) => state === 'confirmed')
        .at(-1)?.id ?? 0
    const seconds = Math.round((performance.now() - since) / 1_000)
    return { samples, epochs: epochIndex - before, blocks, seconds, confirmed, ended: member.endings.length }
  } finally {
    await member.close()
    await world.close()
  }
}

const follows = async (member: Member, block: number): Promise<void> => {
  const { signal } = new AbortController()
  const since = performance.now()
  const waits = (): boolean => member.at < block || performance.now() - member.proxy.lastAt < 4
  while (waits() && performance.now() - since < 5_000) await systemClock.sleep(1 as Ms, signal)
}

const sampleOf = (member: Member, epochs: number): Sample | null => {
  const held = member.held()
  if (held === null) return null
  const sizeOf = (name: string): number => statSync(join(member.data, name), { throwIfNoEntry: false })?.size ?? 0
  const ledgerMb = (sizeOf('ledger.sqlite') + sizeOf('ledger.sqlite-wal')) / 1e6
  return { epochs, ...held, ledgerMb, connections: member.proxy.connections, opened: member.proxy.taken }
}
