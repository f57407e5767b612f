/**
 * Measures commit-reveal: pulses and sealed rows in blocks of the shipped runtime, and the same in the client.
 *   node bench/reveal.ts [--runs 5]
 */
import { parseArgs } from 'node:util'
import { alternate } from './alternate.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const arms = [
  { name: 'the runtime', script: 'reveal-arbor', args: [] },
  { name: 'the client', script: 'reveal-client', args: [] },
]
writeResult('reveal', alternate({ runs: Number(values.runs), arms }))
