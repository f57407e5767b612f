import { describe, expect, test } from 'vitest'
import { mustHaveModels } from '../src/up/models.ts'

describe('mustHaveModels', () => {
  test('passes what the checkout has', () => {
    expect(() => mustHaveModels({ name: 'arbor-tiny', cheats: 1 })).not.toThrow()
  })

  test('names the folder when the spec names a model that is not there', () => {
    expect(() => mustHaveModels({ name: 'none-such', cheats: 0 })).toThrow(/models\/none-such; .*none-such/)
  })

  test('asks for the int8 copy only when there are cheats', () => {
    expect(() => mustHaveModels({ name: 'arbor-tiny-int8', cheats: 0 })).not.toThrow()
    expect(() => mustHaveModels({ name: 'arbor-tiny-int8', cheats: 1 })).toThrow(/--cheats 0/)
  })
})
