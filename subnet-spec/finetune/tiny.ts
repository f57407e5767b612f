import { defineTraining } from './define-training.ts'
import { TINY_TERMS } from './terms.ts'

/** The same subnet with short rounds, for tests. */
export default defineTraining({
  name: 'finetune-tiny',
  version: 1,
  model: { name: 'arbor-tiny', hash: '0x53c82100f6630825eac291d8d799580eb72a86e1ab81c1c08bfea1b215d2effa' },
  training: {
    data: { name: 'arbor-text', hash: '0xb9dd684c9416e8b346ff26b55d3cdfaca14423cb6a59b21d246088bb9a864368' },
    ...TINY_TERMS,
  },
})
