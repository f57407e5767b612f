import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compareSurfaces } from '../../scripts/surface/compare.ts'
import { makePage } from '../../scripts/surface/make.ts'
import type { Item, PalletSurface, Surface } from '../../scripts/surface/read.ts'

const item = (name: string, index: number | null = null, shape = 'u16'): Item => ({ name, index, shape })
const surface = (calls: readonly Item[]): Surface => {
  const pallet: PalletSurface = { name: 'Subnets', index: 7, calls, storage: [], constants: [], errors: [] }
  return { pallets: [pallet], apis: [] }
}

describe('docs/chain-surface.md', () => {
  test('is what the shipped runtime serves; `node scripts/chain-surface.ts` makes it again', async () => {
    const page = readFileSync(new URL('../../docs/chain-surface.md', import.meta.url), 'utf8')
    expect(page).toBe(await makePage())
  })
})

describe('comparison of two chains', () => {
  const [calls] = compareSurfaces(
    surface([item('same', 1), item('moved', 3), item('retyped', 4, 'u32'), item('ours', 9)]),
    surface([item('same', 1), item('moved', 2), item('retyped', 4), item('theirs', 5)]),
  ).pallets.map(({ kinds }) => kinds.calls)

  test.each([
    ['same', 'same'],
    ['other', 'moved retyped'],
    ['absent', 'theirs'],
    ['own', 'ours'],
  ] as const)('lists a call as %s when it is', (kind, names) => {
    expect(calls?.[kind].map(({ name }) => name).join(' ')).toBe(names)
  })
})
