// Makes data/arbor-text again: this project's own documents and sources as they were at one commit, tokenised by arbor-tiny's
// tokenizer. node scripts/dataset.ts [FOLDER]; the hash it prints is the one in data/arbor-text/card.json.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDataset } from '../engine/src/dataset/make.ts'

/** The commit that the text is frozen at: what is written later changes no spec that pins the dataset. */
const COMMIT = 'c8c03af'
/** Text that we wrote, prose and code: about 1.1 M tokens. Tests repeat themselves, and tables of a chain's names are no text. */
const TAKEN =
  /^(?:README\.md|CONTRIBUTING\.md|docs\/.+\.md|(?:shared|subnet-spec|engine|miner|validator|gateway)\/(?!test\/).+\.ts)$/
const LEFT_OUT = new Set(['docs/chain-surface.md', 'docs/benchmarks.md'])

const root = fileURLToPath(new URL('..', import.meta.url))
const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: root, maxBuffer: 1 << 26 })

const paths = git('ls-tree', '-r', '-z', '--name-only', COMMIT)
  .toString()
  .split('\0')
  .filter((path) => TAKEN.test(path) && !LEFT_OUT.has(path))
const work = mkdtempSync(join(tmpdir(), 'arbor-text-'))
try {
  for (const path of paths) {
    mkdirSync(dirname(join(work, path)), { recursive: true })
    writeFileSync(join(work, path), git('cat-file', 'blob', `${COMMIT}:${path}`))
  }
  const { folder, card } = await makeDataset({
    from: work,
    model: join(root, 'models', 'arbor-tiny'),
    into: process.argv[2] ?? join(root, 'data'),
    name: 'arbor-text',
    heldOutShare: 0.06,
    origin: `Documents and TypeScript sources of Arbor at its commit ${COMMIT}`,
    licence: 'Apache-2.0',
    signal: new AbortController().signal,
  })
  console.log(folder, card)
} finally {
  rmSync(work, { recursive: true, force: true })
}
