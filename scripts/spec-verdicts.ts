/**
 * Writes test/vectors/spec/inference.json: answers of the honest and of the int8 model to planned requests, with the verdicts that
 * they get. They pin behaviour: an engine or a spec that judges them otherwise has changed, and needs a new spec version.
 * Run: node scripts/spec-verdicts.ts > test/vectors/spec/inference.json
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import { loadSpec } from '@arbor/subnet-spec/load'

const folder = (name: string): string => fileURLToPath(new URL(`../models/${name}`, import.meta.url))
const { cases } = JSON.parse(readFileSync(new URL('../test/vectors/spec/requests.json', import.meta.url), 'utf8'))
const task = (await loadSpec('inference-tiny')).tasks.chat
if (task === undefined) throw new Error('the spec has no task chat')
const honest = await openEngine({ folder: folder('arbor-tiny') })
const int8 = await openEngine({ folder: folder('arbor-tiny-int8') })
const signal = new AbortController().signal
/** Of no question in particular. */
const binding = `0x${'b1'.repeat(32)}` as const
const timing = { class: 0 }

const rows = []
for (const { seed, request } of cases.slice(0, 6)) {
  for (const [kind, engine] of Object.entries({ honest, int8 })) {
    const response = await task.solve({ request, binding, engine, signal })
    rows.push({
      kind,
      seed,
      response,
      verdict: await task.score({ request, response, binding, engine: honest, timing }),
    })
  }
}
process.stdout.write(
  `${JSON.stringify({ madeBy: 'scripts/spec-verdicts.ts', model: honest.model, timing, cases: rows }, null, 1)}\n`,
)
await Promise.all([honest.close(), int8.close()])
