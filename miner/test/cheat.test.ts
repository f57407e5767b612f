import finetune from '@arbor/subnet-spec/finetune/tiny'
import inference from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import { mustAllowCheats, mustSuitAttack } from '../src/cheat.ts'

const genesisHash = `0x${'11'.repeat(32)}` as const
const chain = (url: string, kind: string) => ({ url, genesisHash, chainType: async () => kind })

describe('a cheat', () => {
  test('is allowed on a development chain of this machine or of its containers', async () => {
    for (const url of ['ws://127.0.0.1:9944', 'ws://[::1]:9944', 'ws://chain:9944'])
      await expect(mustAllowCheats(chain(url, 'Development'))).resolves.toBeUndefined()
  })

  test.each([
    ['ws://127.0.0.1:9944', 'Live'],
    ['ws://127.0.0.1:9944', 'Local'],
    ['wss://dev.example.org:443', 'Development'],
  ])('is refused at %s, a chain of kind %s', async (url, kind) => {
    await expect(mustAllowCheats(chain(url, kind))).rejects.toMatchObject({ code: 'MINER_CHEAT_REFUSED' })
  })

  test("is refused on a node of one's own of a public network", async () => {
    const finney = '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03'
    const node = { ...chain('ws://127.0.0.1:9944', 'Development'), genesisHash: finney } as const
    await expect(mustAllowCheats(node)).rejects.toMatchObject({ code: 'MINER_CHEAT_REFUSED' })
  })
})

describe('an attack by its name', () => {
  const [answers, training] = [inference, finetune].map((spec) => (cheat: string | null) => () => {
    mustSuitAttack({ spec, cheat })
  })

  test('is taken where it is one on what the miners do, and refused elsewhere', () => {
    expect(answers?.('int8')).not.toThrow()
    expect(answers?.(null)).not.toThrow()
    expect(training?.('sign-flip')).not.toThrow()
    const unfit = expect.objectContaining({ code: 'MINER_CHEAT_UNFIT' })
    expect(answers?.('sign-flip')).toThrow(unfit)
    expect(training?.('int8')).toThrow(unfit)
  })
})
