import { inferenceSubnet } from './subnet.ts'

/** Verified inference on Arbor's own 2.6 M-parameter model. */
export default inferenceSubnet({
  name: 'inference',
  model: {
    name: 'arbor-2m',
    hash: '0xd0f31a3b3b58b006855ae3f31186246d67a169dc39a597a22366bf7e39ea85f9',
    thresholds: '0xbb4b137ca1e501ebaf2b244abd7a566821bf02e82395f0e7a79d8f7dd1b16069',
  },
  speed: { tokensPerSecond: 400, context: 512 },
})
