import { inferenceSubnet } from './subnet.ts'

/** Verified inference on Arbor's own 2.6 M-parameter model. */
export default inferenceSubnet({
  name: 'inference',
  model: { name: 'arbor-2m', hash: '0x0000000000000000000000000000000000000000000000000000000000000000' },
})
