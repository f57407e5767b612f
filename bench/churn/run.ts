import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blake2b256 } from '../../shared/src/hashing.ts'
import { encodeSs58 } from '../../shared/src/ss58.ts'
import type { Blocks, Hex, Ss58, Uid } from '../../shared/src/units.ts'
import { drawsFrom } from '../../subnet-spec/finetune/attacks/draws.ts'
import {
  checkpointName,
  decodeCheckpoint,
  encodeCheckpoint,
  nextCheckpoint,
} from '../../subnet-spec/finetune/checkpoint.ts'
import { mergePlan } from '../../subnet-spec/finetune/merge-plan.ts'
import { phasesOf } from '../../subnet-spec/finetune/phases.ts'
import type { Checkpoint, MergePlan } from '../../subnet-spec/finetune/types.ts'
import { decodeUpdate } from '../../subnet-spec/finetune/update.ts'
import { unseenWindows } from '../../subnet-spec/finetune/windows.ts'
import type { Committed } from '../../training/src/types.ts'
import { blockHash, type Subnet } from '../separation/subnet.ts'
import { type Named, type Process, startProcess } from './process.ts'

export interface Churn {
  /** Share of the miners that are killed in each round. */
  readonly killed: number
  /** Of the killed, the share that is started again at once; the others are gone, and as many strangers join in the next round. */
  readonly back: number
}

export interface Ran {
  /** Mean loss of the final model on held-out windows, in nats a token. */
  readonly loss: number
  /** Rounds in which nothing was merged. */
  readonly lost: number
  /** Updates that were merged, a round. */
  readonly merged: number
  /** Processes that were killed, those that were started again at once, and those of them that committed in the same round. */
  readonly killed: number
  readonly back: number
  readonly resumed: number
  /** Strangers that joined, and those that committed in their first round. */
  readonly joined: number
  readonly joinedAndCommitted: number
  /** Times that a process held another checkpoint than the others. */
  readonly disagreed: number
  /** CPU seconds of all of it. */
  readonly cpu: number
}

/** Batches that the final model is measured on. */
const HELD_OUT = 64

/** Runs rounds of a subnet whose miners come and go. */
export const runChurn = async (of: {
  readonly subnet: Subnet
  readonly miners: number
  readonly rounds: number
  readonly seed: number
  readonly churn: Churn
}): Promise<Ran> => {
  const { subnet, miners, rounds, seed, churn } = of
  const { terms, trainer, optimiser } = subnet
  const begun = process.cpuUsage()
  const folder = mkdtempSync(join(tmpdir(), 'arbor-churn-'))
  const draws = drawsFrom({ seed: blockHash(seed, 'start'), label: 'churn' })
  const files = new Map<Hex, Uint8Array>()
  const count = { lost: 0, merged: 0, killed: 0, back: 0, resumed: 0, joined: 0, joinedAndCommitted: 0, disagreed: 0 }
  let commitments: Committed[] = []
  let strangers = 0
  const newcomers = new Set<Ss58>() // who joined at the end of the last round

  const start = (uid: Uid, hotkey: Ss58, at: string, held: Named, used: number): Process =>
    startProcess({
      ...{ subnet, uid, hotkey, held, used, folder: at },
      onCommit: (committed, file) => {
        commitments.push(committed)
        files.set(committed.commitment.name, file)
      },
    })
  const stranger = (uid: Uid, held: Named): Process => {
    strangers += 1
    return start(uid, hotkeyOf(strangers), join(folder, `${strangers}`), held, 0)
  }
  const first = {
    round: 0,
    spec: { name: 'churn', version: 1 },
    params: trainer.initial(),
    outer: new Float32Array(trainer.layout.size),
  }
  const genesis: Named = { checkpoint: first, hash: checkpointName(first) }
  let processes = Array.from({ length: miners }, (_, uid) => stranger(uid as Uid, genesis))
  const history: { kept: Uint8Array; plans: MergePlan[] } = { kept: encodeCheckpoint(first), plans: [] }

  const merge = (checkpoint: Checkpoint, plan: MergePlan): Checkpoint => {
    const updates = plan.merged.map(({ commitment: { name } }) => {
      const file = files.get(name) ?? new Uint8Array(0)
      return optimiser.decode(decodeUpdate({ file, maxBytes: terms.limits.updateBytes }).payload)
    })
    return nextCheckpoint({ checkpoint, optimiser, updates })
  }
  const named = (checkpoint: Checkpoint): Named => ({ checkpoint, hash: checkpointName(checkpoint) })
  /** Finds the present model as somebody does who has nothing: the newest whole checkpoint, and the merges since. */
  const catchUp = (): Named =>
    named(
      history.plans.reduce(
        merge,
        decodeCheckpoint({ file: history.kept, size: trainer.layout.size, spec: first.spec }),
      ),
    )

  try {
    for (let round = 0; round < rounds; round += 1) {
      const phases = phasesOf({ terms: terms.phases, length: 10 as Blocks, round })
      const block = { number: phases.start, hash: blockHash(1_000 * seed + round, 'start') }
      const event = { kind: 'start', phases, block, isPast: false } as const
      commitments = []
      const doomed = pick(processes, Math.round(churn.killed * miners), draws.uniform)
      const alive: Process[] = []
      const gone: Uid[] = []
      for (const each of processes) {
        const killedBefore = doomed.has(each) ? Math.floor(draws.uniform() * terms.local.steps) : null
        const outcome = await each.train(event, killedBefore)
        if (outcome !== 'killed') {
          alive.push(each)
          continue
        }
        each.kill()
        count.killed += 1
        if (draws.uniform() >= churn.back) {
          gone.push(each.uid)
          continue
        }
        count.back += 1
        const again = start(each.uid, each.hotkey, each.folder, each.current(), each.used())
        if ((await again.train(event, null)) === 'committed') count.resumed += 1
        alive.push(again)
      }
      const base = alive[0]?.current().hash ?? genesis.hash
      const accepted = commitments.map(({ uid }) => uid).sort((a, b) => a - b)
      const votes = [1, 2].map((uid) => ({ hotkey: hotkeyOf(-uid), stake: 1n, vote: { round, base, accepted } }))
      const plan = mergePlan({ round, facts: { commitments, votes, permitStake: 2n } })
      const published = { kind: 'published', phases, block, commitments, isPast: false } as const
      const voted = { kind: 'voted', phases, block, plan, voters: [], isPast: false } as const
      const hashes = new Set<Hex>()
      const merged = new Map<Hex, Named>() // by what was held before: who holds the same comes to the same
      for (const each of alive) {
        await each.tell(published, null)
        const held = each.current()
        const next = merged.get(held.hash) ?? named(merge(held.checkpoint, plan))
        merged.set(held.hash, next)
        each.adopt(next)
        hashes.add(next.hash)
        await each.tell(voted, { plan, before: held.hash, ...next })
      }
      history.plans.push(plan)
      const [one] = alive
      if (one !== undefined && (round + 1) % terms.limits.checkpointEvery === 0) {
        Object.assign(history, { kept: encodeCheckpoint(one.current().checkpoint), plans: [] })
        files.clear()
      }
      count.merged += plan.merged.length
      if (plan.merged.length === 0) count.lost += 1
      count.joinedAndCommitted += commitments.filter(({ hotkey }) => newcomers.has(hotkey)).length
      newcomers.clear()
      const joiners = round + 1 === rounds ? [] : gone.map((uid) => stranger(uid, catchUp()))
      for (const { hotkey, current } of joiners) {
        newcomers.add(hotkey)
        hashes.add(current().hash)
      }
      count.joined += joiners.length
      count.disagreed += Math.max(0, hashes.size - 1)
      processes = [...alive, ...joiners].sort((a, b) => a.uid - b.uid)
    }
    const { user, system } = process.cpuUsage(begun)
    const loss = await lossOf(subnet, catchUp().checkpoint.params)
    return { ...count, merged: count.merged / rounds, loss, cpu: (user + system) / 1e6 }
  } finally {
    for (const each of processes) each.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Draws so many of a list. */
const pick = <T>(from: readonly T[], count: number, uniform: () => number): ReadonlySet<T> => {
  const left = [...from]
  return new Set(Array.from({ length: count }, () => left.splice(Math.floor(uniform() * left.length), 1)).flat())
}

const hotkeyOf = (number: number): Ss58 => encodeSs58(blake2b256(new TextEncoder().encode(`bench/churn/${number}`)))

const lossOf = (subnet: Subnet, params: Float32Array): Promise<number> => {
  const { dataset, terms, trainer } = subnet
  const seed = blockHash(0, 'published')
  const tokens = dataset.heldOut
  const starts = unseenWindows({ seed, tokens: tokens.length, batches: HELD_OUT, local: terms.local })
  return trainer.loss({ params, windows: starts.map((each) => ({ tokens, starts: each })) })
}
