/**
 * Measures what a burst of 500 transfers does to the process that also answers clients: signatures checked in a thread of
 * their own, as the chain does, beside the main thread. Each run of each arm is a process of its own, arms alternating.
 *   node bench/signatures.ts [--runs 5]
 */
import { parseArgs } from 'node:util'
import { alternate } from './alternate.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const rows = alternate({
  runs: Number(values.runs),
  arms: [
    { name: 'own thread', script: 'signatures-arbor', args: ['thread'] },
    { name: 'main thread', script: 'signatures-arbor', args: ['main'] },
  ],
})
writeResult('signatures', rows)
