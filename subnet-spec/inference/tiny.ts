import { inferenceSubnet } from './subnet.ts'

/** The same subnet on the 0.3 M-parameter model, for tests. */
export default inferenceSubnet({
  name: 'inference-tiny',
  model: { name: 'arbor-tiny', hash: '0x2cd8725b4a2c3d7a1ebb9cfcd666edbe695106eb38b49ad4dfd9065af37bff18' },
  speed: { tokensPerSecond: 400, context: 512 },
})
