import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url))

/** A development chain in a process of its own. */
export interface RealChain {
  readonly url: string
  /** Folder that is removed in the end. */
  readonly folder: string
  stop(): Promise<void>
}

/** Starts `arbor chain run --dev` on a free port and waits until it is ready. */
export async function startRealChain({
  blockTime = '250ms',
  more = [],
}: {
  readonly blockTime?: string
  /** More words of the command line. */
  readonly more?: readonly string[]
} = {}): Promise<RealChain> {
  const folder = await mkdtemp(join(tmpdir(), 'arbor-chain-'))
  const words = [
    'chain',
    'run',
    '--dev',
    '--json',
    '--port',
    '0',
    '--data',
    join(folder, 'chain'),
    '--block-time',
    blockTime,
    ...more,
  ]
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    return { url: await readyUrl(child), folder, stop: () => stop(child, folder) }
  } catch (error) {
    await stop(child, folder)
    throw error
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  const said: string[] = []
  if (child.stderr === null) throw new Error('the chain has no stderr')
  const lines = createInterface({ input: child.stderr })
  for await (const line of lines) {
    said.push(line)
    const { event, url } = parse(line)
    if (event !== 'chain.ready' || url === undefined) continue
    child.stderr.on('data', () => {}) // the pipe must not fill up
    child.stderr.resume()
    return url
  }
  throw new Error(`the chain ended before it was ready: ${said.join('\n')}`)
}

const parse = (line: string): { readonly event?: string; readonly url?: string } => {
  try {
    return JSON.parse(line) as { event?: string; url?: string }
  } catch {
    return {}
  }
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
}

/** Runs one `arbor` command in a process of its own, with a home of its own. */
export async function arbor(
  home: string,
  ...words: string[]
): Promise<{ readonly out: string; readonly err: string; readonly code: number | null }> {
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: home },
    timeout: 90_000, // one that hangs is stopped, and fails its test by its exit code
    killSignal: 'SIGKILL',
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, code: code as number | null }
}
