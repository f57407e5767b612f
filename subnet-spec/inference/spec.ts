import { inferenceSubnet } from './subnet.ts'

/** Verified inference on Arbor's own 2.6 M-parameter model. */
export default inferenceSubnet({
  name: 'inference',
  model: {
    name: 'arbor-2m',
    hash: '0xd0f31a3b3b58b006855ae3f31186246d67a169dc39a597a22366bf7e39ea85f9',
    thresholds: '0x7ae3d4dfdceb848e310c4f39ffff613990d3b91f6b138028f943251c23c4ed56',
  },
  speed: { tokensPerSecond: 400, context: 512 },
})
