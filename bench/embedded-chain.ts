// Measures the embedded chain. Prints one JSON object; times are CPU milliseconds of this process (user and system).
import { systemClock } from '@arbor/shared/clock'
import pino from 'pino'
import { blake128, initHashes } from '../chain/src/embedded/hash.ts'
import { toKey } from '../chain/src/embedded/key.ts'
import { u32le } from '../chain/src/embedded/scale.ts'
import { trieEdit } from '../chain/src/embedded/trie/edit.ts'
import type { Trie } from '../chain/src/embedded/trie/node.ts'
import { trieRoot } from '../chain/src/embedded/trie/root.ts'
import { ALICE, createSigner, startTestChain } from '../chain/test/support/embedded.ts'

const cpuMs = (run: () => unknown): number => {
  const before = process.cpuUsage()
  run()
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1_000
}
const cpuMsAsync = async (run: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await run()
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1_000
}
const round = (value: number): number => Math.round(value * 100) / 100
const repeat = async (count: number, run: () => unknown): Promise<void> => {
  for (let done = 0; done < count; done += 1) await run()
}

await initHashes()
const log = pino({ level: 'silent' })
const start = await cpuMsAsync(async () => (await startTestChain({ clock: systemClock, log })).chain.close())
const emptyBlock = async (check: boolean): Promise<number> => {
  const { chain } = await startTestChain({ clock: systemClock, log, check })
  await repeat(300, chain.produce) // lets V8 compile what is hot
  const cpu = await cpuMsAsync(() => repeat(300, chain.produce))
  await chain.close()
  return round(cpu / 300)
}

const EXTRINSICS = 400
const extrinsics = async (): Promise<Record<string, number>> => {
  const { chain, source } = await startTestChain({
    clock: systemClock,
    log,
    patch: { blockTime: { slotDurationMs: 60_000 } },
  })
  const { sign } = createSigner(chain)
  const measured: Record<string, number> = {}
  for (let batch = 0; batch < 2; batch += 1) {
    const signed = Array.from({ length: EXTRINSICS }, (_, index) =>
      sign(ALICE, batch * EXTRINSICS + index, 'system', 'remark', '0x00'),
    )
    measured['validateCpuMs'] = round(
      cpuMs(() => signed.forEach((extrinsic) => void chain.validate(extrinsic))) / EXTRINSICS,
    )
    for (const extrinsic of signed) source.offer(extrinsic)
    const cpu = await cpuMsAsync(() => chain.produce())
    measured['included'] = chain.best().extrinsics.length - 1
    measured['includeAndCheckCpuMs'] = round(cpu / measured['included'])
  }
  const nonce = (): unknown => chain.call('AccountNonceApi_account_nonce', ALICE.publicKey, chain.best().hash)
  await repeat(500, nonce)
  measured['runtimeCallCpuMs'] = round((await cpuMsAsync(() => repeat(500, nonce))) / 500)
  await chain.close()
  return measured
}

/** Cost of the root after 30 changed keys, about what a block with a transfer changes. */
const rootUpdate = (keys: number): Record<string, number> => {
  const entry = (index: number, salt: number) =>
    [toKey(blake128(u32le(index))) + toKey(blake128(u32le(index + 1))), u32le(index + salt)] as const
  let trie: Trie = trieEdit(
    undefined,
    Array.from({ length: keys }, (_, index) => entry(index, 0)),
    1,
  )
  const full = cpuMs(() => trieRoot(trie))
  const updates = cpuMs(() => {
    for (let block = 1; block <= 100; block += 1) {
      trie = trieEdit(
        trie,
        Array.from({ length: 30 }, (_, index) => entry((block * 7_919 + index * 613) % keys, block)),
        1,
      )
      trieRoot(trie)
    }
  })
  return { keys, fullCpuMs: round(full), updateCpuMs: round(updates / 100) }
}

const result = {
  startWithGenesisCpuMs: round(start),
  emptyBlockCheckedCpuMs: await emptyBlock(true),
  emptyBlockUncheckedCpuMs: await emptyBlock(false),
  perExtrinsic: await extrinsics(),
  roots: [1_000, 10_000, 50_000].map(rootUpdate),
  rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
}
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
