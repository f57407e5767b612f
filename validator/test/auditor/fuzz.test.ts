import { SubnetError } from '@arbor/shared/errors'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { audit, verdictOf } from '../../src/auditor/audit.ts'
import { openServedLog } from '../../src/auditor/served-log.ts'
import { scene, serve, spec } from './scene.ts'
import { httpOf, NETUID, type ToldChain, VALIDATOR } from './written.ts'

const { chain, log } = scene()
const served = serve(log.entries)

/** Audits the log as it comes over a line on which a stranger edits. */
const auditOver = async (told: ToldChain, edit: (text: string, path: string) => string) => {
  const open = () => openServedLog(httpOf(served, edit))
  const of = { validator: VALIDATOR.address, epoch: 3, url: served.url, isWhole: true }
  return audit({ chain: told.client, netuid: NETUID, spec, open }, of, new AbortController().signal)
}

/** What came of it: `equal` only where nothing that counts was edited. */
const outcomeOver = async (edit: (text: string, path: string) => string): Promise<string> => {
  try {
    const audited = await auditOver(chain, edit)
    return verdictOf(audited)
  } catch (error) {
    expect(error).toBeInstanceOf(SubnetError)
    return error instanceof SubnetError ? error.code : 'INTERNAL'
  }
}

test('an audit over an honest line is equal', async () => {
  expect(await outcomeOver((text) => text)).toBe('equal')
})

test('an audit never calls a row equal, and never breaks, when bytes of an answer are replaced', async () => {
  const cases = fc.record({ at: fc.nat(), to: fc.constantFrom(...'0123456789abf"{}[],:-e.\u0000 x'), nth: fc.nat(8) })
  await fc.assert(
    fc.asyncProperty(cases, async ({ at, to, nth }) => {
      let seen = 0
      let touched = false
      const outcome = await outcomeOver((text, path) => {
        if (seen++ !== nth) return text
        const place = at % text.length
        const edited = `${text.slice(0, place)}${to}${text.slice(place + 1)}`
        touched = isTold(text, path) !== isTold(edited, path)
        return edited
      })
      if (touched) expect(outcome).not.toBe('equal')
    }),
    { numRuns: 60, seed: 7 },
  )
})

/** The part of an answer that an audit rests on, in one spelling; other fields are hints. */
const isTold = (text: string, path: string): string => {
  try {
    const { head, entries, proof, from } = JSON.parse(text) as Record<string, unknown>
    return JSON.stringify(path.startsWith('receipts') ? { entries, from } : { head, proof })
  } catch {
    return text
  }
}

test('an audit never calls a row equal when answers are cut, doubled, swapped or of another shape', async () => {
  const shapes = ['', 'null', '[]', '{}', '{"entries":[]}', '{"from":0,"entries":[]}', '{"from":0,"entries":["{}"]}']
  const more = [
    '{"from":1e99,"entries":["x"]}',
    '{"proof":["0x00"]}',
    '{"proof":[]}',
    '{"head":null}',
    '"\\ud800"',
    '[[[[[[[[',
  ]
  for (const shape of [...shapes, ...more]) {
    for (const part of ['head', 'receipts', 'proof']) {
      const outcome = await outcomeOver((text, path) => (path.startsWith(part) ? shape : text))
      expect([part, shape, outcome]).not.toContain('equal')
    }
  }
  expect(await outcomeOver((text) => text.slice(0, text.length / 2))).not.toBe('equal')
  expect(await outcomeOver((text) => text + text)).not.toBe('equal')
})

test('an audit ends when a log gives the same page for ever', async () => {
  let page: string | null = null
  const outcome = await outcomeOver((text, path) => {
    if (!path.startsWith('receipts')) return text
    page ??= text
    return page
  })
  expect(outcome).toBe('AUDIT_ANSWER')
})

test('an audit never calls a row equal when entries are moved, doubled or left out', async () => {
  const edits = fc.record({ kind: fc.constantFrom('drop', 'double', 'swap'), at: fc.nat() })
  await fc.assert(
    fc.asyncProperty(edits, async ({ kind, at }) => {
      let touched = false
      const outcome = await outcomeOver((text, path) => {
        if (!path.startsWith('receipts')) return text
        const page = JSON.parse(text) as { entries: string[] }
        const place = at % page.entries.length
        const [entry = ''] = page.entries.splice(place, 1)
        if (kind === 'double') page.entries.splice(place, 0, entry, entry)
        if (kind === 'swap') page.entries.push(entry)
        const edited = JSON.stringify(page)
        touched ||= isTold(edited, path) !== isTold(text, path)
        return edited
      })
      if (touched) expect(outcome).not.toBe('equal')
    }),
    { numRuns: 25, seed: 11 },
  )
})
