import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, said, testAxon } from './axon.ts'

/** Headers that the signature covers, or that decide what is covered: without all of them as they were nothing is answered. */
const SIGNED = [
  'bt_header_dendrite_nonce',
  'bt_header_dendrite_hotkey',
  'bt_header_dendrite_uuid',
  'bt_header_dendrite_signature',
  'computed_body_hash',
]
const OTHERS = [
  'timeout',
  'bt_header_dendrite_version',
  'bt_header_dendrite_ip',
  'bt_header_axon_hotkey',
  'header_size',
  'name',
]
const STATUSES = [200, 400, 401, 403, 408, 413, 422, 429, 500]

const value = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom('', '0', '-1', 'None', 'null', '0x', '12.0', '1e308', alice.address, '1'.repeat(19), 'a'.repeat(300)),
  fc.stringMatching(/^[ -~]{0,80}$/),
  fc.stringMatching(/^0x[0-9a-f]{128}$/),
)

describe('an axon that gets changed requests', () => {
  it('answers with a documented status, in few bytes, and hands on nothing whose signed parts were changed', async () => {
    const axon = testAxon()
    let step = 0n
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SIGNED, ...OTHERS), value, async (name, changed) => {
        axon.seen.length = 0
        await axon.clock.advance(1_000) // so that failures are not shut out
        step += 1n
        const nonce = BigInt(axon.clock.now()) * 1_000_000n + step
        const request = axon.write({ nonce, headers: { [name]: changed } })
        const answer = said(await axon.app.inject(request))
        expect(STATUSES).toContain(answer.status)
        if (SIGNED.includes(name) && changed !== axon.write({ nonce }).headers[name]) {
          expect(answer.status).not.toBe(200)
          expect(axon.seen).toEqual([])
        }
        if (answer.status !== 200) expect(answer.bytes).toBeLessThan(300)
      }),
      { seed: 5, numRuns: 400 },
    )
  })

  it('hands on no body whose hashed fields were changed', async () => {
    const axon = testAxon()
    let step = 0n
    const body = '{"text":"a","n":1}'
    const cut = fc.integer({ min: 0, max: body.length }).map((at) => body.slice(0, at))
    const flip = fc
      .tuple(fc.nat(body.length - 1), fc.stringMatching(/^[ -~]$/))
      .map(([at, by]) => body.slice(0, at) + by + body.slice(at + 1))
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, flip, fc.json(), fc.string()), async (sent) => {
        axon.seen.length = 0
        step += 1n
        const nonce = BigInt(axon.clock.now()) * 1_000_000n + step
        const answer = said(await axon.app.inject(axon.write({ nonce, sent })))
        const isHanded = axon.seen.some(({ by }) => by === 'handler')
        expect([200, 422, 500]).toContain(answer.status)
        expect(isHanded).toBe(answer.status === 200)
        if (isHanded) expect(answer.reply).toBe('a|1')
      }),
      { seed: 6, numRuns: 1_000 },
    )
  })
})
