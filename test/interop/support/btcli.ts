import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'

export interface Ran {
  readonly out: string
  readonly err: string
  readonly code: number | null
}

/** Runs one command of btcli as a user's shell would, with a home of its own. */
export async function runBtcli(btcli: string, home: string, words: readonly string[]): Promise<Ran> {
  const child = spawn(btcli, words, {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, COLUMNS: '4000', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 90_000, // one that hangs is stopped, and fails its test by its exit code
    killSignal: 'SIGKILL',
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { out, err, code: code as number | null }
}

/** Runs one command with --json-output and reads its document. @throws with all it said when there is none */
export async function btcliJson<Result>(btcli: string, home: string, words: readonly string[]): Promise<Result> {
  const ran = await runBtcli(btcli, home, [...words, '--json-output'])
  const start = ran.out.search(/[[{]/)
  try {
    return JSON.parse(start < 0 ? '' : ran.out.slice(start).replaceAll('\n', '')) as Result
  } catch (cause) {
    throw new Error(`btcli ${words.join(' ')} (${ran.code}):\n${ran.out}\n${ran.err}`, { cause })
  }
}
