import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../chain/src/main.ts', import.meta.url))

/** What a command that ended by itself said. */
export interface Finished {
  readonly out: string
  readonly err: string
  readonly code: number | null
}

/** A chain that said that it is ready. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly url: string
  readonly genesis: string
  /** Lines of its log so far. */
  readonly lines: readonly string[]
}

/** Starts chain commands in processes of their own, and ends those that are left. */
export interface ChainCommands {
  /** Runs a command that ends by itself. */
  finish(...words: string[]): Promise<Finished>
  /** Runs the chain on a free port until it says that it is ready. */
  run(...words: string[]): Promise<Running>
  killAll(): Promise<void>
}

/** Creates the starter of commands. */
export const createChainCommands = (): ChainCommands => {
  const children: ChildProcessWithoutNullStreams[] = []
  const start = (words: readonly string[]): ChildProcessWithoutNullStreams => {
    const child = spawn(process.execPath, [main, ...words])
    children.push(child)
    return child
  }
  return {
    finish: async (...words) => {
      const child = start(words)
      const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
      return { out, err, code: code as number | null }
    },
    run: async (...words) => {
      const child = start(['run', '--json', '--port', '0', ...words])
      const lines: string[] = []
      const reader = createInterface({ input: child.stderr })
      const ready = new Promise<{ url: string; genesis: string }>((resolve, reject) => {
        reader.on('line', (line) => {
          lines.push(line)
          const entry = parse(line)
          if (entry.event === 'chain.ready') resolve(entry as { url: string; genesis: string })
        })
        reader.on('close', () => reject(new Error(lines.join('\n'))))
      })
      return { child, lines, ...pick(await ready) }
    },
    killAll: async () => {
      for (const child of children.splice(0)) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    },
  }
}

/** Asks a running chain over HTTP. */
export const rpc = async (url: string, method: string, ...params: unknown[]): Promise<unknown> => {
  const response = await fetch(url.replace('ws', 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown }
  if (error !== undefined) throw new Error(JSON.stringify(error))
  return result
}

/** Number of the best block, or of the one with this hash. */
export const numberOf = async (url: string, hash?: unknown): Promise<number> => {
  const header = (await rpc(url, 'chain_getHeader', ...(hash === undefined ? [] : [hash]))) as { number: string }
  return Number(header.number)
}

/** Ends a chain and tells its exit code. */
export const stop = async ({ child }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = await exited
  return code as number | null
}

const pick = ({ url, genesis }: { url: string; genesis: string }) => ({ url, genesis })

const parse = (line: string): { event?: string } => {
  try {
    return JSON.parse(line) as { event?: string }
  } catch {
    return {}
  }
}
