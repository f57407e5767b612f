import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { setWeights, transferKeepAlive } from '@arbor/chain/client/calls'
import { connectChain } from '@arbor/chain/client/connect'
import type { Call } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Rao, Uid } from '@arbor/shared/units'
import { upgradedBlob } from '../../chain/test/support/upgraded-blob.ts'
import { ask, type ChaosChain, startChain } from './chain.ts'
import type { PlannedFault } from './faults.ts'
import type { Member } from './member.ts'
import { BEHAVIOURS } from './miners.ts'
import { RULES, type RuleKeeper } from './rules.ts'
import { alice, netuid, owners, type World } from './world.ts'

/** What faults act upon. */
export interface Target {
  readonly world: World
  readonly members: readonly Member[]
  readonly rules: RuleKeeper
  readonly canFill: boolean
}

/** A fault that is on. */
export interface ActiveFault {
  readonly fault: PlannedFault
  /** The validator that it keeps from its work. */
  readonly member?: Member
  /** Runs after each block of the main chain. */
  each?(): Promise<void>
  end(): Promise<void>
}

const NOTHING = async (): Promise<void> => undefined

/** Begins a fault. */
export const inject = async (target: Target, fault: PlannedFault): Promise<ActiveFault> => {
  const { world, members, rules } = target
  const member = chosen(members, fault.whom)
  const link = (kind: 'cut' | 'half-open' | 'swallow' | 'deaf'): ActiveFault => {
    member.proxy.set({ kind })
    return { fault, member, end: async () => member.proxy.set({ kind: 'none' }) }
  }
  const rule = (name: keyof typeof RULES, wanted: Parameters<RuleKeeper['want']>[1]): ActiveFault => {
    rules.want(name, wanted)
    return { fault, end: NOTHING }
  }
  const awhile = (
    name: keyof typeof RULES,
    during: ReturnType<(typeof RULES)['tempo']>,
    after: typeof during,
  ): ActiveFault => {
    rules.want(name, during)
    return { fault, end: async () => rules.want(name, after) }
  }
  const within = (from: number, to: number): number => from + Math.floor(fault.value * (to - from + 1))
  switch (fault.kind) {
    case 'link-cut':
      return link('cut')
    case 'link-half-open':
      return link('half-open')
    case 'link-swallow':
      return link('swallow')
    case 'link-deaf':
      return link('deaf')
    case 'link-slow':
      member.proxy.set({ kind: 'slow', ms: within(5, 60) })
      return { fault, member, end: async () => member.proxy.set({ kind: 'none' }) }
    case 'link-fork':
    case 'link-older':
      return besides(target, fault, member)
    case 'kill-validator':
      member.kill9()
      return { fault, end: NOTHING }
    case 'kill-chain':
      await world.chain.restart()
      return { fault, end: NOTHING }
    case 'chain-upgrade':
      void world.act(setCode(world.reader.specVersion + 1), alice).catch(() => undefined)
      return { fault, end: NOTHING }
    case 'clock-ahead':
    case 'clock-behind':
      member.jump(fault.kind === 'clock-ahead' ? 3_600_000 : -3_600_000)
      return { fault, end: async () => member.jump(0) }
    case 'disk-full':
      return fill(target, fault, member)
    case 'miner-down': {
      const miner = chosen(world.miners, fault.whom)
      miner.isDown = true
      world.writeBook()
      return {
        fault,
        end: async () => {
          miner.isDown = false
          world.writeBook()
        },
      }
    }
    case 'miners-gone': {
      for (const miner of world.miners) miner.isDown = true
      world.writeBook()
      return {
        fault,
        end: async () => {
          for (const miner of world.miners) miner.isDown = false
          world.writeBook()
        },
      }
    }
    case 'chain-reorg':
      await world.reorg(within(2, 3))
      if (fault.value < 0.5) await world.chain.restart() // what the reorganisation put back into the pool is lost, too
      return { fault, end: NOTHING }
    case 'signer-away':
      member.holder(true)
      return { fault, member, end: async () => member.holder(false) }
    case 'signer-rival':
      return rivalOf(target, fault, member)
    case 'miner-moves':
      void world.move(chosen(world.miners, fault.whom)).catch(() => undefined)
      return { fault, end: NOTHING }
    case 'miner-joins':
      void world.join(`newcomer-${fault.at}`, chosen(BEHAVIOURS, fault.value)).catch(() => undefined)
      return { fault, end: NOTHING }
    case 'commit-reveal':
      return rule('commit-reveal', RULES['commit-reveal'](fault.value < 0.6))
    case 'reveal-period':
      return rule('reveal-period', RULES['reveal-period'](within(1, 2)))
    case 'tempo':
      return rule('tempo', RULES.tempo(within(8, 14)))
    case 'rate-limit':
      return rule('rate-limit', RULES['rate-limit'](within(0, 5)))
    case 'version-key':
      return awhile('version-key', RULES['version-key'](99), RULES['version-key'](within(0, 3)))
    case 'permits':
      return awhile('permits', RULES.permits(1), RULES.permits(8))
    case 'stake-threshold':
      return awhile('stake-threshold', RULES['stake-threshold'](10n ** 18n), RULES['stake-threshold'](0n))
  }
}

const chosen = <T>(of: readonly T[], whom: number): T => of[Math.floor(whom * of.length)] as T

/** Blocks between the copy and the moment in which a validator is led to it: what it has seen by then is not on the copy. */
const APART = 3

/** Leads a validator to a copy of the chain that makes other blocks, or none. */
const besides = async (target: Target, fault: PlannedFault, member: Member): Promise<ActiveFault> => {
  const { world } = target
  const folder = join(world.folder, `besides-${fault.at}`)
  await world.chain.copyTo(folder)
  const copy = await startChain({ folder, owners })
  const isFork = fault.kind === 'link-fork'
  if (isFork) await diverge(copy)
  const copiedAt = (await world.reader.finalized()).number
  let passed = 0
  return {
    fault,
    member,
    each: async () => {
      if (isFork) await copy.block()
      passed += 1
      // Who has seen no block that the copy has not cannot know it for what it is.
      if (passed >= APART && member.at > copiedAt && member.proxy.fault().kind === 'none')
        member.proxy.set({ kind: 'other', url: copy.url })
    },
    end: async () => {
      member.proxy.set({ kind: 'none' })
      await copy.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Puts something into the next block that the main chain's has not. */
const diverge = async (copy: ChaosChain): Promise<void> => {
  const stop = new AbortController()
  const client = await connectChain({ url: copy.url, signal: stop.signal, clock: systemClock })
  const dave = keypairFromUri('//Dave')
  const paid = client.submit(transferKeepAlive({ to: alice.address, amount: 1_000n as Rao }), {
    signer: dave,
    signal: stop.signal,
    waitFor: 'included',
  })
  for (let waited = 0; waited < 100; waited += 1) {
    const waiting = (await ask(copy.url, 'author_pendingExtrinsics', [])) as readonly unknown[]
    if (waiting.length > 0) break
    await systemClock.sleep(5 as never, stop.signal)
  }
  await copy.block()
  await paid
  await client.close()
}

/** Another process that has the same hotkey sets rows of its own, as when a validator is started twice. */
const rivalOf = ({ world }: Target, fault: PlannedFault, member: Member): ActiveFault => {
  let set = 0
  return {
    fault,
    member,
    each: async () => {
      set += 1
      const row = [[(set % 3) as Uid, 65_535] as const]
      void world.act(setWeights({ netuid, row, version: 3 }), member.key).catch(() => undefined)
    },
    end: NOTHING,
  }
}

/** Fills the disk that a validator's data lies on. */
const fill = async (target: Target, fault: PlannedFault, member: Member): Promise<ActiveFault> => {
  if (!target.canFill) return { fault, end: NOTHING }
  const file = join(member.data, 'ballast')
  const handle = openSync(file, 'w')
  const chunk = Buffer.alloc(64 * 1_024)
  try {
    for (let size = chunk.length; size >= 512; size >>= 1) writeUntilFull(handle, chunk.subarray(0, size))
  } finally {
    closeSync(handle)
  }
  return { fault, member, end: async () => rmSync(file, { force: true }) }
}

const writeUntilFull = (handle: number, piece: Buffer): void => {
  for (;;) {
    try {
      writeSync(handle, piece)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
}

const setCode = (specVersion: number): Call => ({
  pallet: 'Sudo',
  call: 'sudo_unchecked_weight',
  args: {
    call: { pallet: 'System', call: 'set_code', args: { code: toHex(compressed(upgradedBlob({ specVersion }))) } },
    weight: { ref_time: 0, proof_size: 0 },
  },
})

/** What Substrate takes for a compressed runtime. @source sp_maybe_compressed_blob ZSTD_PREFIX */
const compressed = (code: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(82, 188, 83, 118, 70, 219, 142, 5), zstdCompressSync(code)])
