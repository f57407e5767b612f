import { defineTraining } from './define-training.ts'
import { FINETUNE_TERMS } from './terms.ts'

/** Training of Arbor's own 0.3 M-parameter model by many. */
export default defineTraining({
  name: 'finetune',
  version: 1,
  model: { name: 'arbor-tiny', hash: '0x53c82100f6630825eac291d8d799580eb72a86e1ab81c1c08bfea1b215d2effa' },
  training: {
    data: { name: 'arbor-text', hash: `0x${'00'.repeat(32)}` },
    ...FINETUNE_TERMS,
  },
})
