import { describe, expect, test } from 'vitest'
import { nextAllowed } from '../src/next-allowed.ts'
import { hyperparameters, metagraph, neuron } from './fixtures.ts'

const ask = (me: Parameters<typeof nextAllowed>[0]['me'], over: Parameters<typeof hyperparameters>[0] = {}) =>
  nextAllowed({ metagraph: metagraph(), hyperparameters: hyperparameters(over), me, version: 1 })

describe('nextAllowed', () => {
  test('allows a validator with a permit that never set weights', () => {
    expect(ask(neuron())).toEqual({ allowed: true })
  })

  test('names the registration when the hotkey has none', () => {
    expect(ask(undefined)).toMatchObject({ allowed: false, rule: 'registered', at: null })
  })

  test('names the stake threshold before anything else of a registered hotkey', () => {
    expect(ask(neuron({ validatorPermit: false }), { stakeThreshold: 101n })).toMatchObject({ rule: 'stake' })
  })

  test('exempts the owner from stake and permit', () => {
    const me = neuron({ hotkey: '5Fowner', validatorPermit: false, totalStake: 0n })
    expect(ask(me, { stakeThreshold: 101n })).toEqual({ allowed: true })
  })

  test('names the version key when the chain asks for a later one', () => {
    expect(ask(neuron(), { weightsVersion: 2n })).toMatchObject({ rule: 'version' })
  })

  test('names commit-reveal when the chain takes committed weights only', () => {
    expect(ask(neuron(), { commitRevealEnabled: true })).toMatchObject({ rule: 'commit-reveal' })
  })

  test('allows the first block at which the rate limit has passed and none before', () => {
    // the row would enter block 101, and the chain asks block - lastUpdate >= 20
    expect(ask(neuron({ lastUpdate: 82 }))).toMatchObject({ rule: 'rate-limit', at: 102 })
    expect(ask(neuron({ lastUpdate: 81 }))).toEqual({ allowed: true })
  })

  test('names the next epoch when the permit is missing', () => {
    expect(ask(neuron({ validatorPermit: false }))).toMatchObject({ rule: 'permit', at: 105 })
  })
})
