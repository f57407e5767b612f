/**
 * Measures what a validator holds over many epochs in which nothing goes wrong: its own parts, a real chain, simulated miners, three blocks an epoch.
 *   node bench/endurance.ts [--epochs 10000] [--minutes 60]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { endure, type Sample } from '../test/chaos/endurance.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: { epochs: { type: 'string', default: '10000' }, minutes: { type: 'string', default: '60' } },
})
const folder = mkdtempSync(join(tmpdir(), 'bench-endurance-'))
const epochs = Number(values.epochs)
try {
  const endured = await endure({
    folder,
    epochs,
    tempo: 3,
    every: Math.max(1, Math.round(epochs / 100)),
    until: Date.now() + Number(values.minutes) * 60_000,
    say: (sample) => console.log(JSON.stringify(sample)),
  })
  const { samples } = endured
  const rows = [0.01, 0.1, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const sample = samples[Math.max(0, Math.ceil(share * samples.length) - 1)]
    return sample === undefined ? [] : rowsOf(sample)
  })
  writeResult('endurance', rows, [
    `${endured.epochs} epochs of three blocks with a round each, in ${endured.seconds} s; ${endured.confirmed} rows were set and read back, and the process ended ${endured.ended} times.`,
  ])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

function rowsOf({ epochs: after, rssMb, descriptors, sockets, ledgerMb, opened }: Sample) {
  const row = (what: string, unit: string, value: number) => ({
    what: `${what} after ${after.toString().replace(/\B(?=(\d{3})+$)/g, ' ')} epochs`,
    unit,
    runs: { Arbor: [Number(value.toPrecision(4))] },
  })
  return [
    row('resident memory', 'MB', rssMb),
    row('open sockets', 'sockets', sockets),
    row('file descriptors', 'descriptors', descriptors),
    row('connections to the chain that were ever opened', 'connections', opened),
    row('ledger', 'MB', ledgerMb),
  ]
}
