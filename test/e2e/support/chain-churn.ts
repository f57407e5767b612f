// Makes blocks with extrinsics as fast as it can, reorganises now and then, and says each final block, until it is killed.
import { setImmediate as turn } from 'node:timers/promises'
import { ALICE, createOffered, createSigner, startTestChain } from '../../../chain/test/support/embedded.ts'
import { systemClock } from '../../../shared/src/clock.ts'
import type { Block } from '../../../shared/src/units.ts'

const [, , data = ''] = process.argv
const LAG = 4

const source = createOffered()
const { chain } = await startTestChain({ data, clock: systemClock, finality: 'manual', source, keep: 64 })
const { sign, query, registry } = createSigner(chain)
chain.onEvent(({ kind, block }) => {
  if (kind === 'finalized') process.stdout.write(`final ${block.header.number} ${block.hash}\n`)
})
const nonceOf = (): number => {
  const key = query['system']?.['account']?.(ALICE.publicKey) ?? new Uint8Array()
  const value = chain.state(chain.best().hash).get(key.subarray(1))
  return Number((registry.createType('FrameSystemAccountInfo' as never, value) as never as { nonce: number }).nonce)
}
process.stdout.write(`open ${chain.best().header.number} ${chain.finalized().header.number}\n`)
for (let made = 1; ; made += 1) {
  source.offer(sign(ALICE, nonceOf(), 'system', 'remarkWithEvent', `0x${made.toString(16).padStart(8, '0')}`))
  const { header } = await chain.produce()
  if (made % 5 === 0 && header.number - chain.finalized().header.number >= 3) chain.reorg(3)
  const final = chain.best().header.number - LAG
  if (final > chain.finalized().header.number) chain.finalize(final as Block)
  await turn()
}
