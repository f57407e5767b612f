import { execFile } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fault, gatewayOf, miner, type Script, speaking } from '../../gateway/test/support/gateway.ts'
import { describeWith } from './support/pythons.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('./python/openai_client.py', import.meta.url))
const key = 'arbor-python'

/** Breaks off when it is asked to, after its first piece; else says the same to everybody. */
const script: Script = async (task, signal, onChunk) => {
  if (!JSON.stringify(task.request).includes('break off')) return speaking('Hé', 'llo')(task, signal, onChunk)
  onChunk?.(Buffer.from('Hé'))
  return fault('early-close')
}

describeWith('openai', "OpenAI's Python client", ({ python }) => {
  test('works with the gateway as it is, whole, streamed and refused', async () => {
    const entry = {
      id: '0'.repeat(12),
      name: 'py',
      hash: '0'.repeat(64),
      createdAt: '2027-01-01T00:00:00Z',
      concurrent: 4,
    }
    const keys = { find: (text: string) => (text === key ? entry : null), follow: async () => undefined }
    const { app } = gatewayOf({ script, keys, miners: [miner('A')] })
    await app.listen({ host: '127.0.0.1', port: 0 })
    try {
      const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1`
      const { stdout } = await run(python, [program, url, key], { env: { NO_PROXY: '*' } })
      expect(JSON.parse(stdout)).toEqual({
        model: 'arbor-tiny',
        whole: 'Héllo',
        usage: expect.any(Number),
        miner: '5A',
        receipt: 'ab'.repeat(32),
        stream: ['Héllo', expect.any(Number)],
        broken: ['Hé', 'APIError', 'miners_failed'],
        text: 'Héllo',
        errors: [
          ['BadRequestError', 400, 'n', 'unsupported_value'],
          ['NotFoundError', 404, 'model', 'model_not_found'],
          ['BadRequestError', 400, 'max_tokens', 'integer_above_max_value'],
          ['BadRequestError', 400, 'best_of', 'unsupported_parameter'],
        ],
        stranger: 'AuthenticationError',
      })
    } finally {
      app.server.closeAllConnections()
      await app.close()
    }
  })
})
