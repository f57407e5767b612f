import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { developmentBeacon } from '@arbor/chain/beacon/in-process'
import { systemClock } from '@arbor/shared/clock'
import type { Block, Ms } from '@arbor/shared/units'
import pino from 'pino'
import { epochOutcome, owesRound } from './allowed.ts'
import { auditLog, compareRows, type LogAudit } from './audit.ts'
import { type FaultKind, planFaults } from './faults.ts'
import { type Moment, readMoment } from './history.ts'
import { type ActiveFault, inject } from './inject.ts'
import { type Violation, type Watch, watchMember } from './invariants.ts'
import { createMember, type Held, type Member } from './member.ts'
import { allPoints } from './points.ts'
import { random } from './random.ts'
import { keepRules, RULES } from './rules.ts'
import spec from './spec.ts'
import { readTrace } from './trace.ts'
import { openWorld, type World } from './world.ts'

/** How one seed is run. */
export interface RunOptions {
  readonly seed: number
  readonly epochs: number
  /** An empty folder, or none yet; it is removed in the end. */
  readonly folder: string
  readonly validators: number
  /** A fault begins every so many blocks on average; null for none. */
  readonly faultEvery: number | null
  readonly faults?: readonly FaultKind[]
  /** Probability with which an armed write kills; 0 for no kills at writes. */
  readonly killChance: number
  /** Kills of one validator at one write. */
  readonly mostKills: number
  /** Writes that are armed; all when absent. */
  readonly points?: readonly string[]
  /** How weights begin: openly, with salted commits, or with a beacon beside the chain, which lets commits be timelocked. */
  readonly method: 'open' | 'salted' | 'timelocked'
  readonly speed: number
  /** Epochs of which logs keep their bodies. */
  readonly keepEpochs: number
  readonly say: (text: string) => void
  readonly keepFolder?: boolean
}

/** What a seed came to. */
export interface RunReport {
  readonly seed: number
  readonly method: RunOptions['method']
  readonly blocks: number
  readonly epochs: number
  readonly seconds: number
  readonly violations: readonly Violation[]
  /** Epochs × validators by what they came to. */
  readonly outcomes: {
    readonly done: number
    readonly missed: number
    readonly excused: Readonly<Record<string, number>>
  }
  /** Kills at writes, by point; and how often each write was come to. */
  readonly kills: Readonly<Record<string, number>>
  readonly reached: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  /** Ends of validator processes by reason. */
  readonly endings: Readonly<Record<string, number>>
  readonly recoveriesMs: readonly number[]
  readonly confirmed: number
  readonly rounds: number
  readonly verdicts: number
  readonly entries: number
  readonly sent: number
  readonly most: Held
  /** Entries of logs that were replayed, rows in them, and rows that two validators computed from the same receipts. */
  readonly audited: { readonly entries: number; readonly rows: number; readonly compared: number }
  readonly refusedRules: Readonly<Record<string, number>>
}

/** Runs a seed. */
export const runSeed = async (of: RunOptions): Promise<RunReport> => {
  const startedAt = performance.now()
  mkdirSync(of.folder, { recursive: true })
  const world = await openWorld({
    folder: of.folder,
    validators: of.validators,
    behaviours: ['honest', 'honest', 'wrong', 'hang', 'flood', 'lie', 'move'],
  })
  const members: Member[] = []
  const disks: string[] = []
  const stop = new AbortController()
  try {
    for (const [i, key] of world.validators.entries()) {
      const name = `validator-${i + 1}`
      const data = join(of.folder, name, 'data')
      mkdirSync(data, { recursive: true })
      if (mountSmall(data)) disks.push(data)
      const about = { name, key, uri: `//Charlie//${name}`, folder: of.folder, book: world.book }
      members.push(
        await createMember({
          ...about,
          seed: of.seed,
          speed: of.speed,
          chance: of.killChance,
          most: of.mostKills,
          keepEpochs: of.keepEpochs,
          to: () => world.chain.url,
        }),
      )
    }
    const report = await follow(of, { world, members, canFill: disks.length === members.length, stop })
    const done = { ...report, seconds: Math.round((performance.now() - startedAt) / 100) / 10 }
    return done
  } finally {
    stop.abort()
    await Promise.all(members.map((member) => member.close()))
    await world.close()
    for (const disk of disks) unmount(disk)
    if (of.keepFolder !== true) rmSync(of.folder, { recursive: true, force: true })
  }
}

interface Stage {
  readonly world: World
  readonly members: readonly Member[]
  readonly canFill: boolean
  readonly stop: AbortController
}

const follow = async (of: RunOptions, stage: Stage): Promise<Omit<RunReport, 'seconds'>> => {
  const { world, members, stop } = stage
  const source = random(of.seed)
  const haste = source.fork('haste')
  const rules = keepRules(world)
  const blocks = of.epochs * 10
  const planned =
    of.faultEvery === null
      ? []
      : [
          ...planFaults({
            random: source.fork('faults'),
            blocks,
            every: of.faultEvery,
            ...(of.faults === undefined ? {} : { kinds: of.faults }),
          }),
        ]
  const armed = of.points ?? allPoints().map(({ name }) => name)
  for (const member of members) member.armed = of.killChance > 0 ? armed : []
  if (of.method !== 'open') rules.want('commit-reveal', RULES['commit-reveal'](true))
  if (of.method === 'timelocked') followBeacon(world, stop.signal)
  const watches = members.map((member) => watchMember(member, spec))
  const moments: Moment[] = []
  const active: { readonly until: number; readonly active: ActiveFault }[] = []
  const faults: Record<string, number> = {}
  const violations = new Map<string, Violation>()
  const outcomes = { done: 0, missed: 0, excused: {} as Record<string, number> }
  const most = { rssMb: 0, descriptors: 0, sockets: 0 }
  let lostAt = Number.NEGATIVE_INFINITY
  let epochs = 0
  let epochStart = 0
  const target = { ...stage, rules }

  const { number: first } = await world.block()
  for (const member of members) member.ensure(first)
  await allStarted(members)

  for (let passed = 0; epochs < of.epochs && passed < blocks * 3; passed += 1) {
    for (const each of active.filter(({ until }) => until <= passed)) {
      active.splice(active.indexOf(each), 1)
      await each.active.end()
    }
    let isLost = false
    while (planned[0] !== undefined && planned[0].at <= passed) {
      const fault = planned.shift()
      if (fault === undefined || isTaken(active, fault.kind)) continue
      of.say(`block +${passed}: ${fault.kind} for ${fault.lasts}`)
      faults[fault.kind] = (faults[fault.kind] ?? 0) + 1
      isLost ||= LOSES.has(fault.kind)
      active.push({
        until: passed + fault.lasts + (SLOW_TO_BEGIN[fault.kind] ?? 0),
        active: await inject(target, fault),
      })
    }
    const { number, hash } = await world.block()
    if (isLost) lostAt = number
    for (const member of members) member.ensure(number)
    for (const { active: each } of active) {
      await each.each?.()
      if (each.member !== undefined) each.member.disturbedAt = number
    }
    await settle(members, number, haste.chance(HASTY))
    const before = moments.at(-1)
    await readMoments(world, { members, moments, block: number, hash, lostAt })
    const moment = moments.at(-1)
    if (moment === undefined) continue
    rules.keep(moment)
    if (before === undefined || before.metagraph.epochIndex === moment.metagraph.epochIndex) continue
    const begins = moments.findIndex(({ metagraph }) => metagraph.epochIndex === moment.metagraph.epochIndex)
    const epoch = moments.slice(epochStart, begins)
    epochStart = begins
    epochs += 1
    for (const [i, watch] of watches.entries())
      judgeEpoch({ member: members[i] as Member, watch, epoch, moments, outcomes, violations })
    for (const member of members) {
      const held = member.held()
      if (held === null) continue
      for (const key of ['rssMb', 'descriptors', 'sockets'] as const) most[key] = Math.max(most[key], held[key])
      if (held.sockets > 12 || held.descriptors > 120 || member.proxy.connections > 4)
        note(violations, {
          invariant: 'unbounded',
          validator: member.name,
          block: number,
          what: JSON.stringify({ ...held, connections: member.proxy.connections }),
        })
    }
  }
  for (const { active: each } of active) await each.end()
  for (const member of members) member.kill9()
  const audited = await auditAll(stage, violations)
  for (const member of members)
    for (const { why, atBlock, life } of member.endings)
      if (!EXPECTED_ENDS.has(why))
        note(violations, {
          invariant: 'ended',
          validator: member.name,
          block: atBlock,
          what: `life ${life} ended with ${why}`,
        })
  const kills: Record<string, number> = {}
  const reached: Record<string, number> = {}
  for (const member of members)
    for (const record of readTrace(member.trace)) {
      if (record.kind === 'point') reached[record.point] = (reached[record.point] ?? 0) + 1
      if (record.kind === 'kill') kills[record.point] = (kills[record.point] ?? 0) + 1
    }
  const sum = (key: 'confirmed' | 'rounds' | 'verdicts' | 'entries'): number =>
    watches.reduce((n, { counts }) => n + counts[key], 0)
  return {
    seed: of.seed,
    method: of.method,
    blocks: moments.length,
    epochs,
    violations: [...violations.values()],
    outcomes,
    kills,
    reached,
    faults,
    endings: countBy(members.flatMap(({ endings }) => endings.map(({ why }) => why))),
    recoveriesMs: members.flatMap(({ recoveries }) => recoveries),
    confirmed: sum('confirmed'),
    rounds: sum('rounds'),
    verdicts: sum('verdicts'),
    entries: sum('entries'),
    sent: members.reduce((n, { proxy }) => n + proxy.sent.length, 0),
    most,
    ...audited,
    refusedRules: Object.fromEntries(rules.refused),
  }
}

/** Replays every log by the auditor's functions, and compares rows that follow from the same receipts. */
const auditAll = async (
  { world, members }: Stage,
  violations: Map<string, Violation>,
): Promise<Pick<RunReport, 'audited'>> => {
  const audits: LogAudit[] = []
  const tell = (validator: string, what: string): void =>
    note(violations, { invariant: 'unequal', validator, block: 0, what })
  for (const member of members) {
    try {
      const audit = await auditLog(member, world.reader)
      audits.push(audit)
      if (audit.mismatch !== null) tell(member.name, `the log does not follow: ${audit.mismatch}`)
    } catch (error) {
      tell(member.name, `the log cannot be audited: ${String(error)}`)
    }
  }
  const sum = (key: 'entries' | 'rows'): number => audits.reduce((n, audit) => n + audit[key], 0)
  let compared = 0
  for (const [i, a] of audits.entries())
    for (const b of audits.slice(i + 1)) {
      const found = compareRows(a, b)
      compared += found.compared
      for (const name of found.different) tell(`${a.validator} and ${b.validator}`, `rows differ at ${name}`)
    }
  return { audited: { entries: sum('entries'), rows: sum('rows'), compared } }
}

/** Reads every final block that was not read yet: with a reorganisation several become final at once. */
const readMoments = async (
  { reader }: World,
  of: Parameters<typeof readMoment>[1] & { readonly moments: Moment[] },
): Promise<void> => {
  const { moments } = of
  for (let block = (moments.at(-1)?.block ?? of.block - 1) + 1; block < of.block; block += 1) {
    const hash = await reader.blockHash(block as Block)
    if (hash !== null) moments.push(await readMoment(reader, { ...of, block: block as Block, hash }))
  }
  moments.push(await readMoment(reader, of))
}

/** Faults after which what was sent before may be gone. */
const LOSES: ReadonlySet<string> = new Set(['kill-chain', 'chain-reorg'])

/** Ends that a fault explains: a kill, and those that say what is wrong outside and that a new start may help. */
const EXPECTED_ENDS = new Set([
  'killed',
  'CHAIN_UNREACHABLE',
  'CHAIN_TIMEOUT',
  'CHAIN_CONNECTION_LOST',
  'CHAIN_FORK',
  'CHAIN_BEHIND',
  'VALIDATOR_OTHER_FORK',
  'SUPERVISE_BUDGET_SPENT',
  'STORE_FULL',
  'RECEIPTS_UNWRITABLE',
])

/** Blocks that a fault needs before it is there. */
const SLOW_TO_BEGIN: Partial<Record<FaultKind, number>> = { 'link-fork': 4, 'link-older': 4 }

/** Faults of one kind of thing come one after another, so that each is seen for itself. */
const isTaken = (active: readonly { readonly active: ActiveFault }[], kind: FaultKind): boolean =>
  active.some(({ active: { fault } }) => fault.kind.split('-')[0] === kind.split('-')[0])

const judgeEpoch = (of: {
  readonly member: Member
  readonly watch: Watch
  readonly epoch: readonly Moment[]
  readonly moments: readonly Moment[]
  readonly outcomes: { done: number; missed: number; readonly excused: Record<string, number> }
  readonly violations: Map<string, Violation>
}): void => {
  const { member, watch, epoch, moments, outcomes, violations } = of
  for (const violation of watch.check(moments)) note(violations, violation)
  const outcome = epochOutcome({
    moments: epoch,
    hotkey: member.key.address,
    version: spec.version,
    scored: epoch.some((moment) => watch.scored(moment)),
    held: watch.held(),
  })
  const [first] = epoch
  if (
    first !== undefined &&
    owesRound(epoch, member.key.address) &&
    !watch.recordedSince(first.block - first.metagraph.tempo)
  )
    note(violations, {
      invariant: 'missed',
      validator: member.name,
      block: first.block,
      what: `no round was recorded from block ${first.block - first.metagraph.tempo} to the end of the epoch that began at ${first.block}`,
    })
  if (outcome.kind === 'excused') outcomes.excused[outcome.why] = (outcomes.excused[outcome.why] ?? 0) + 1
  else outcomes[outcome.kind] += 1
  if (outcome.kind === 'missed')
    note(violations, {
      invariant: 'missed',
      validator: member.name,
      block: epoch[0]?.block ?? 0,
      what: `epoch of ${epoch.length} blocks: ${outcome.why}`,
    })
}

const note = (violations: Map<string, Violation>, violation: Violation): void => {
  const name = `${violation.invariant} ${violation.validator} ${violation.what}`
  if (!violations.has(name)) violations.set(name, violation)
}

/**
 * Milliseconds that a block waits for validators that are able to follow it, for those that are starting, and for their ways to the chain to
 * fall silent. A start takes some seconds on a busy machine, where Bittensor makes no block in between: mostly blocks wait for it, and
 * sometimes they do not.
 */
const PATIENCE = { head: 1_500, start: 10_000, hasty: 100, silentFor: 15, silent: 300 } as const
/** Share of the starts that blocks do not wait for. */
const HASTY = 0.3

/** Waits until the validators have done what a block gave them to do, as far as can be seen from outside. */
const settle = async (members: readonly Member[], block: number, isHasty: boolean): Promise<void> => {
  const since = performance.now()
  const passed = (): number => performance.now() - since
  const pause = (ms: number): Promise<void> => systemClock.sleep(ms as Ms, new AbortController().signal)
  const isFree = ({ alive, proxy }: Member): boolean => alive && proxy.fault().kind === 'none'
  const isBehind = (member: Member): boolean => isFree(member) && member.at >= 0 && member.at < block
  const isStarting = (member: Member): boolean => isFree(member) && member.at < 0
  while (members.some(isBehind) && passed() < PATIENCE.head) await pause(2)
  while (members.some(isStarting) && passed() < (isHasty ? PATIENCE.hasty : PATIENCE.start)) await pause(2)
  const isSilent = ({ proxy }: Member): boolean => performance.now() - proxy.lastAt >= PATIENCE.silentFor
  while (!members.every(isSilent) && passed() < PATIENCE.silent) await pause(3)
}

/** Waits until every validator has its first snapshot: a run begins with all of them. */
const allStarted = async (members: readonly Member[]): Promise<void> => {
  const { signal } = new AbortController()
  for (let waited = 0; members.some(({ at }) => at < 0); waited += 1) {
    if (waited > 600) throw new Error(`validators do not start: ${members.map(({ log }) => log).join(', ')}`)
    await systemClock.sleep(50 as Ms, signal)
  }
}

/** Signs the beacon's rounds, for as long as the run lasts; a killed chain is waited for. */
const followBeacon = (world: World, signal: AbortSignal): void => {
  const log = pino({ level: 'silent' })
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      await developmentBeacon({ url: world.chain.url, clock: systemClock, log })(signal).catch(() => undefined)
    }
  }
  void follow()
}

const countBy = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Puts a small disk of its own under a folder, where the machine lets us. */
const mountSmall = (folder: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'chaos', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const unmount = (folder: string): void => {
  try {
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' })
  } catch {
    // the folder was none of ours any more
  }
}
