import { inferenceSubnet } from './subnet.ts'

/** The same subnet on the 0.3 M-parameter model, for tests. */
export default inferenceSubnet({
  name: 'inference-tiny',
  model: { name: 'arbor-tiny', hash: '0xe2c468f635442eb19752de4707db38ccc09045bb77deeb2257c311258b06fb9c' },
})
