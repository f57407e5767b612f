import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SHORT } from '../chaos/plan.ts'
import { runSeed } from '../chaos/run.ts'

test(
  'validator loses nothing and claims nothing false when it is killed at its writes, and its link and its chain fail',
  {
    timeout: 300_000,
  },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'arbor-chaos-'))
    const report = await runSeed({ ...SHORT, folder, say: () => undefined })
    expect(report.violations).toEqual([])
    expect(report.epochs).toBe(SHORT.epochs)
    expect(report.confirmed).toBeGreaterThan(0)
    expect(Object.keys(report.kills).length).toBeGreaterThan(3)
    expect(report.audited.rows).toBeGreaterThan(0)
  },
)
