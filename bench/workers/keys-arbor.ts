// The arm of bench/keys.ts: fills a chain with accounts through its own calls, then measures its blocks.
//   node --expose-gc bench/workers/keys-arbor.ts fill|open KEYS FOLDER
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { concatBytes } from '@arbor/shared/bytes'
import { toHex } from '@arbor/shared/hex'
import { blake128 } from '../../chain/src/embedded/hash.ts'
import { u32le, u64le } from '../../chain/src/embedded/scale.ts'
import { ALICE, createSigner, startTestChain } from '../../chain/test/support/embedded.ts'
import { cpuMs } from './history-report.ts'

const [phase = '', keys = '0', folder = ''] = process.argv.slice(2)
// Its clock stands still, so that a busy machine does not end a block early.
const { chain, source } = await startTestChain({ data: folder })

/** Accounts in one block: 2.8 MB of keys and values, below the 7.5 MB that a block's calls may take. */
const BATCH = 20_000
const TRANSFERS = 100
const BLOCKS = { settle: 300, empty: 200, full: 20 }
/** Twox128 of "System" and of "Account". */
const ACCOUNTS = Uint8Array.from(Buffer.from('26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9', 'hex'))
const accountOf = (index: number): Uint8Array =>
  concatBytes(blake128(u32le(index)), blake128(u32le(index ^ 0x5bd1e995)))
const keyOf = (account: Uint8Array): Uint8Array => concatBytes(ACCOUNTS, blake128(account), account)
/** An account with a provider and 1 TAO. @source frame_system::AccountInfo over pallet_balances::AccountData */
const HOLDING = concatBytes(
  u32le(0),
  u32le(0),
  u32le(1),
  u32le(0),
  u64le(1_000_000_000),
  u64le(0),
  u64le(0),
  new Uint8Array(15),
  Uint8Array.of(0x80),
)

const mean = async (count: number, block: () => Promise<unknown>): Promise<number> => {
  const before = cpuMs()
  for (let made = 0; made < count; made += 1) await block()
  return (cpuMs() - before) / count
}

async function fill(): Promise<object> {
  const { sign, tx } = createSigner(chain)
  let nonce = 0
  for (let from = 0; from < Number(keys); from += BATCH) {
    const count = Math.min(BATCH, Number(keys) - from)
    const items = Array.from({ length: count }, (_, index) => [toHex(keyOf(accountOf(from + index))), toHex(HOLDING)])
    const write = tx['system']?.['setStorage']?.(items)
    source.offer(sign(ALICE, nonce++, 'sudo', 'sudoUncheckedWeight', write, { refTime: 0, proofSize: 0 }))
    await chain.produce()
  }
  const last = keyOf(accountOf(Number(keys) - 1))
  if (chain.state(chain.best().hash).get(last) === undefined) throw new Error('the accounts are not in the state')
  await mean(BLOCKS.settle, chain.produce) // what filling left in the history goes, and V8 compiles what is hot
  const empty = await mean(BLOCKS.empty, chain.produce)
  const blocks = Array.from({ length: BLOCKS.full }, (_, block) =>
    Array.from({ length: TRANSFERS }, (_, index) => {
      const to = accountOf(((block * TRANSFERS + index) * 7_919) % Number(keys))
      return sign(ALICE, nonce++, 'balances', 'transferKeepAlive', to, 1_000_000n)
    }),
  )
  const full: number[] = []
  for (const extrinsics of blocks) {
    for (const extrinsic of extrinsics) source.offer(extrinsic)
    const before = cpuMs()
    const { extrinsics: held } = await chain.produce()
    full.push(cpuMs() - before)
    if (held.length !== TRANSFERS + 1) throw new Error(`a block holds ${held.length - 1} of ${TRANSFERS} transfers`)
  }
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const kept = full.slice(BLOCKS.full / 2).sort((a, b) => a - b)
  return {
    emptyCpuMs: empty,
    fullCpuMs: kept[kept.length >> 1],
    rssMb: rss / 1e6,
    heapMb: heapUsed / 1e6,
    databaseMb: bytes / 1e6,
  }
}

/** Cost of a new process up to its first answer. */
function open(): object {
  chain.call('Core_version', new Uint8Array(), chain.best().hash)
  return { openCpuMs: cpuMs(), openRssMb: process.memoryUsage().rss / 1e6 }
}

const result = phase === 'fill' ? await fill() : open()
await chain.close()
console.log(JSON.stringify(result))
