import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'

/** A virtual environment with one version of Bittensor's Python packages, or OpenAI's. */
export interface Venv {
  readonly python: string
  readonly btcli: string
}

export type VenvName = 'bittensor-10.5' | 'bittensor-10.2' | 'bittensor-11' | 'bittensor-wallet' | 'openai'

/** Where `scripts/interop-setup` puts them, unless ARBOR_PYTHON names another folder. */
const folder = process.env.ARBOR_PYTHON ?? fileURLToPath(new URL('../../../.arbor/python', import.meta.url))

/**
 * Describes tests that need Python packages. Where they are not installed the tests are skipped with the reason in
 * their title; in CI that is a failure, since it installs them.
 */
export function describeWith(name: VenvName, title: string, tests: (venv: Venv) => void): void {
  const bin = join(folder, name, 'bin')
  const venv: Venv = { python: join(bin, 'python'), btcli: join(bin, 'btcli') }
  const reason = `${venv.python} is not there; run scripts/interop-setup`
  if (existsSync(venv.python)) {
    describe(title, { timeout: 120_000 }, () => tests(venv))
  } else if (process.env.CI) {
    describe(title, () => {
      it(`has ${name}`, () => {
        throw new Error(reason)
      })
    })
  } else {
    describe.skip(`${title} (skipped: ${reason})`, () => tests(venv))
  }
}
