import { fileURLToPath } from 'node:url'
import { attackSuite } from './suite.ts'

attackSuite({
  spec: 'inference-tiny',
  folder: fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url)),
  users: (planned) => ({ ...(planned as object), maxTokens: 40 }),
})
