import { inferenceSubnet } from './subnet.ts'

/** Verified inference on Arbor's own 2.6 M-parameter model. */
export default inferenceSubnet({
  name: 'inference',
  model: { name: 'arbor-2m', hash: '0xba38ffda95cf61d977369a34abca48758f3005212c87f143f6fabec07292d50a' },
  speed: { tokensPerSecond: 400, context: 512 },
})
