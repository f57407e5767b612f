import { inferenceSubnet } from './subnet.ts'

/** Verified inference on Arbor's own 2.6 M-parameter model. */
export default inferenceSubnet({
  name: 'inference',
  model: { name: 'arbor-2m', hash: '0x1e8732d1bd3b2de83cc13c482ca75014b90bf5c3feb50968304f956122616cc2' },
})
