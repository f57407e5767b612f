import { fileURLToPath } from 'node:url'
import { toBytes } from '@arbor/shared/bytes'
import type { Hex } from '@arbor/shared/units'
import { expect, test } from 'vitest'
import score, { type ScoreJob } from '../src/worker.ts'

const TINY = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
const job: ScoreJob = {
  task: 'chat',
  request: {},
  response: toBytes('{}'),
  timing: { totalMs: 1, deadlineMs: 10 },
  binding: `0x${'00'.repeat(32)}` as Hex,
}
const over = (modelFolder: string) =>
  score(job, {
    workerData: { spec: 'inference-tiny', modelFolder },
    signal: new AbortController().signal,
    progress: () => undefined,
  })

test('a thread judges again once its model can be opened, when it could not before', async () => {
  await expect(over(`${TINY}-absent`)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  expect(await over(TINY)).toMatchObject({ reason: 'schema', value: 0 })
})
