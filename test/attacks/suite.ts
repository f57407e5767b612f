import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ATTACKS } from '@arbor/engine/attacks/list'
import type { AttackModule } from '@arbor/engine/attacks/types'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, describe } from 'vitest'
import type { Bench } from './ask.ts'
import { attackTests } from './attacks.ts'
import { honestTests } from './honest.ts'

/** A subnet and the model that it is tried on. */
export interface Tried {
  /** Specifier: the name of a built-in subnet, `inference@NAME,…`, or the absolute path of a module. */
  readonly spec: string
  /** Path of the model folder that validators judge with. */
  readonly folder: string
  /**
   * Makes a question as users ask it of one that validators plan, in another form (length, temperature); without it the attack that
   * treats users worse is left out.
   */
  readonly users?: (planned: unknown) => unknown
  /** Attacks that are tried; all of Arbor's when absent. */
  readonly attacks?: readonly AttackModule[]
  /** Set to leave honest variations out. */
  readonly attacksOnly?: true
}

/** What the tests of a suite share; filled before the first of them. */
export interface Stage extends Bench {
  readonly spec: SubnetSpec
  readonly tried: Tried
  /** Folder of the suite's own, removed at the end. */
  readonly scratch: string
}

/** Tries a subnet: no honest variation may be refused, and each attack must be, within the answers that it says. */
export const attackSuite = (tried: Tried): void => {
  describe(`${tried.spec} on ${tried.folder}`, () => {
    const scratch = mkdtempSync(join(tmpdir(), 'arbor-attacks-'))
    let stage: Stage | undefined
    let judge: OpenedEngine | undefined
    beforeAll(async () => {
      const spec = await loadSpec(tried.spec)
      const task = spec.tasks[spec.pick({ seed: `0x${'00'.repeat(32)}` })]
      if (task === undefined) throw new Error('the spec picked a task that it does not have')
      judge = await openEngine({ folder: tried.folder })
      stage = { spec, task, judge, tried, scratch }
    })
    afterAll(async () => {
      await judge?.close()
      rmSync(scratch, { recursive: true, force: true })
    })
    const shared = (): Stage => {
      if (stage === undefined) throw new Error('the suite has not begun')
      return stage
    }
    if (tried.attacksOnly !== true) honestTests(shared)
    attackTests(shared, tried.attacks ?? ATTACKS)
  })
}
