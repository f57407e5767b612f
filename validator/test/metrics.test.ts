import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createMetrics, type Readings } from '../src/health/metrics.ts'
import { createTrainingMeter } from '../src/training/meter.ts'

const readings: Readings = {
  temposSinceInclusion: () => 1.5,
  metagraph: () => ({ ageBlocks: 2, ageSeconds: 7 }),
  queues: () => ({ asking: 3, scoring: 4, auditing: 5 }),
  link: () => ({ reconnects: 6, failovers: 1, isConnected: true }),
  loops: () => [{ loop: 'rounds', done: 9, failed: 2, failedInRow: 1 }],
  log: () => ({ entries: 11, bytes: 4_096 }),
  alarms: () => ['stale-chain'],
}
const made = (over: Partial<Readings> = {}) => createMetrics({ ...readings, ...over }, { netuid: '1', hotkey: '5F' })
const samplesOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

describe('metrics', () => {
  test('tell tempos since inclusion, the age of the metagraph, queues, the link, loops, the log and alarms (C-01)', async () => {
    const text = await made().text()
    expect(samplesOf(text)).toEqual(
      expect.arrayContaining([
        'arbor_validator_info{netuid="1",hotkey="5F"} 1',
        'arbor_validator_tempos_since_inclusion 1.5',
        'arbor_validator_metagraph_age_blocks 2',
        'arbor_validator_metagraph_age_seconds 7',
        'arbor_validator_queue_depth{queue="scoring"} 4',
        'arbor_validator_chain_connected 1',
        'arbor_validator_chain_reconnects 6',
        'arbor_validator_loop_failures_in_row{loop="rounds"} 1',
        'arbor_validator_log_entries 11',
        'arbor_validator_log_bytes 4096',
        'arbor_validator_alarm{alarm="stale-chain"} 1',
      ]),
    )
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m)
  })

  test('count verdicts, outcomes and what phases took', async () => {
    const metrics = made()
    for (const reason of ['ok', 'ok', 'timeout']) metrics.verdict(reason)
    metrics.outcome('confirmed')
    metrics.phase('ask', 1_500)
    metrics.step('rounds', 2_000)
    expect(samplesOf(await metrics.text())).toEqual(
      expect.arrayContaining([
        'arbor_validator_verdicts_total{reason="ok"} 2',
        'arbor_validator_verdicts_total{reason="timeout"} 1',
        'arbor_validator_weight_outcomes_total{kind="confirmed"} 1',
        'arbor_validator_phase_seconds_sum{phase="ask"} 1.5',
        'arbor_validator_phase_seconds_count{phase="read-back"} 0',
        'arbor_validator_step_seconds_sum{loop="rounds"} 2',
      ]),
    )
  })

  test('have no value for what is not known, rather than zero', async () => {
    const text = await made({ temposSinceInclusion: () => null, metagraph: () => null, link: () => null }).text()
    expect(samplesOf(text).filter((line) => /tempos_since|metagraph_age|chain_/.test(line))).toEqual([])
  })

  test('take no more than so many values of a label, and none that is not short and plain', async () => {
    const metrics = made()
    for (let number = 0; number < 10_000; number += 1) metrics.verdict(`reason-${number}`)
    metrics.verdict('x'.repeat(100))
    metrics.verdict('"} 1\ninjected 1')
    const verdicts = samplesOf(await metrics.text()).filter((line) => line.startsWith('arbor_validator_verdicts_total'))
    expect([verdicts.length, verdicts.at(-1)]).toEqual([33, 'arbor_validator_verdicts_total{reason="other"} 9970'])
  })

  test('tell of a training subnet how far its model is, what was fetched and scored, and each rating', async () => {
    const meter = createTrainingMeter()
    const measured = { assigned: [], unseen: [], norm: 1, likeness: null, replay: null }
    const about = { hotkey: '5F' as never, update: { name: '0x00', bytes: 1 } as const, checkMs: 500 }
    meter.bytes(4_096)
    meter.judged(
      [
        { ...about, uid: 3 as never, fault: null, measured },
        { ...about, uid: 4 as never, fault: 'stale', measured: null },
      ],
      2_000,
    )
    meter.merged({ round: 7, tokens: 2_560, heldOut: 3.5 })
    meter.merged({ round: 8, tokens: 2_560, heldOut: null })
    meter.mergeTook(40)
    meter.rating(3 as never, { mu: 27.5, sigma: 4 })
    const text = samplesOf(await made({ training: meter.read }).text())
    expect(text.filter((line) => line.startsWith('arbor_validator_training'))).toEqual([
      'arbor_validator_training_round 8',
      'arbor_validator_training_tokens 5120',
      'arbor_validator_training_held_out_loss 3.5',
      'arbor_validator_training_fetched_bytes 4096',
      'arbor_validator_training_scored_updates 1',
      'arbor_validator_training_scored_seconds 0.5',
      'arbor_validator_training_round_seconds 2',
      'arbor_validator_training_merge_seconds 0.04',
      'arbor_validator_training_rating{uid="3"} 27.5',
    ])
  })

  test('are all in docs/operating.md, and all that it names are metrics', async () => {
    const docs = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
    const metrics = made({ training: createTrainingMeter().read })
    metrics.outcome('confirmed')
    const text = await metrics.text()
    const names = [...text.matchAll(/^# TYPE (arbor_validator_\w+)/gm)].map(([, name]) => name)
    const documented = [...docs.matchAll(/^\| `(arbor_validator_\w+)/gm)].map(([, name]) => name)
    expect(new Set(documented)).toEqual(new Set(names))
  })
})
