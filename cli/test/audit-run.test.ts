import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ms } from '@arbor/shared/units'
import type { ServedLog } from '@arbor/validator/auditor/served-log'
import { expect, test } from 'vitest'
import { scene, serve, spec } from '../../validator/test/auditor/scene.ts'
import { NETUID, VALIDATOR } from '../../validator/test/auditor/written.ts'
import { runAudit } from '../src/audit/run.ts'

test('an audit is given up when its log is not read within an hour', async () => {
  const { chain, log } = scene()
  const clock = createManualClock()
  let asked: (() => void) | null = null
  const waiting = new Promise<void>((resolve) => {
    asked = resolve
  })
  const slow: ServedLog = {
    ...serve(log.entries),
    page: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        asked?.()
      }),
  }
  const deps = { chain: chain.client, netuid: NETUID, spec, open: () => slow }
  const of = { validator: VALIDATOR.address, epoch: 3, url: slow.url, cwd: '/', clock }
  const outcome = runAudit(deps, of, new AbortController().signal).catch((error: unknown) => error)
  await waiting
  await clock.advance(3_600_000 as Ms)
  expect(await outcome).toMatchObject({ code: 'AUDIT_LATE', retryable: true })
})
