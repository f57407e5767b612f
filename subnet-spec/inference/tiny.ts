import { inferenceSubnet } from './subnet.ts'

/** The same subnet on the 0.3 M-parameter model, for tests. */
export default inferenceSubnet({
  name: 'inference-tiny',
  model: {
    name: 'arbor-tiny',
    hash: '0x53c82100f6630825eac291d8d799580eb72a86e1ab81c1c08bfea1b215d2effa',
    thresholds: '0xe69f9992469d1fbcce1bd0710991b9480a877010bf92427b3d516f2d4d92f456',
  },
  speed: { tokensPerSecond: 400, context: 512 },
})
