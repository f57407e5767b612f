/**
 * Audits the answers of a folder's traffic with a judge that takes its time, until it is killed or done. Each judgement is told on stdout.
 * Usage: auditing.ts FOLDER BLOCK
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { systemClock } from '@arbor/shared/clock'
import { createLogger } from '@arbor/shared/log'
import type { Ms, Rao } from '@arbor/shared/units'
import spec from '@arbor/subnet-spec/inference-tiny'
import { auditIfDue } from '../../../validator/src/audits.ts'
import { openLedger } from '../../../validator/src/ledger.ts'
import { createPrecedence } from '../../../validator/src/precedence.ts'
import { openReceipts } from '../../../validator/src/receipts.ts'
import { openTraffic } from '../../../validator/src/traffic.ts'
import { asker, genesisHash, headAt, metagraphOf, netuid } from '../../../validator/test/audited.ts'

const [folder = '', block = ''] = process.argv.slice(2)
const owner = { genesisHash, netuid, hotkey: asker.address }
using ledger = openLedger({ file: join(folder, 'ledger.sqlite'), owner })
using traffic = openTraffic({ file: join(folder, 'traffic.sqlite'), owner, spec })
const never = new AbortController().signal
await auditIfDue(
  {
    chain: {
      blockHash: async (number) => headAt(number).hash,
      metagraph: async () => metagraphOf(),
      registrationCost: async () => 500_000n as Rao,
    },
    netuid,
    spec,
    ledger,
    traffic,
    precedence: createPrecedence(),
    threads: 2,
    judge: async ({ request }) => {
      await systemClock.sleep(15 as Ms, never)
      appendFileSync(join(folder, 'judged'), `${JSON.stringify(request)}\n`)
      return { reason: 'ok', value: 1, sigma: 0 }
    },
    receipts: openReceipts({ data: folder, most: 1_000 }),
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
    self: asker.address,
  },
  headAt(Number(block)),
  never,
)
