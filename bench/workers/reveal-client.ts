// The arm "the client" of bench/reveal.ts: the same rounds and rows in JavaScript.

import { developmentSecret } from '../../chain/src/beacon/key.ts'
import { publicKeyOf, signRound, verifyPulse } from '../../chain/src/timelock/drand.ts'
import { seal, unseal } from '../../chain/src/timelock/seal.ts'
import { ALICE } from '../../chain/test/support/embedded.ts'
import { cpuMs } from './history-report.ts'
import { fullRow, randomnessOf } from './reveal-rows.ts'

const ROWS = 10
const WARM_UP = 3
const secret = developmentSecret()
const beacon = { publicKey: publicKeyOf(secret) }
const pulse = signRound(secret, 1_000n)
const rows = Array.from({ length: WARM_UP + ROWS }, (_, index) => fullRow(ALICE.publicKey, 255, index))

/** CPU milliseconds of each call after the first ones. */
const mean = <Given>(given: readonly Given[], run: (one: Given) => unknown): number => {
  for (const one of given.slice(0, WARM_UP)) run(one)
  const before = cpuMs()
  for (const one of given.slice(WARM_UP)) run(one)
  return (cpuMs() - before) / (given.length - WARM_UP)
}

const sealed: Uint8Array[] = []
const sealing = mean(rows, (row) => sealed.push(seal(beacon, 1_000n, row, randomnessOf(sealed.length))))
const checking = mean(rows, () => {
  if (!verifyPulse(beacon, pulse)) throw new Error('the pulse is not valid')
})
const opening = mean(sealed, (bytes) => unseal(bytes, pulse))
console.log(
  JSON.stringify([
    { what: 'check one pulse', unit: 'CPU ms', value: checking },
    { what: 'seal a row of 255 weights', unit: 'CPU ms', value: sealing },
    { what: 'open a row of 255 weights', unit: 'CPU ms', value: opening },
  ]),
)
