import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A Python process that makes the calls it is told to, one after the other. */
export interface Driver {
  /** Makes one call. Rejects with Python's error when it raises. */
  call<Result = unknown>(name: string, args?: Readonly<Record<string, unknown>>): Promise<Result>
  close(): Promise<void>
}

/** What the SDK says of an extrinsic. */
export interface SdkResponse {
  readonly success: boolean
  readonly message: string | null
  readonly error: string | null
  readonly block: `0x${string}` | null
  readonly fee: number | null
  readonly data: unknown
}

/** Starts a script of test/interop/python with a home of its own. */
export function startDriver(of: {
  readonly python: string
  readonly script: 'sdk.py' | 'modern.py' | 'wallets.py'
  readonly words: readonly string[]
  readonly home: string
}): Driver {
  const script = fileURLToPath(new URL(`../python/${of.script}`, import.meta.url))
  const child = spawn(of.python, ['-u', script, ...of.words], {
    cwd: of.home,
    env: { PATH: process.env.PATH, HOME: of.home, BT_LOGGING_INFO: '0', BT_LOGGING_RECORD_LOG: '0', NO_PROXY: '*' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
  child.stdin.on('error', () => {}) // the answer that does not come tells it
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const gone = once(child, 'close')
  let last: Promise<unknown> = Promise.resolve()

  const ask = async (name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify({ call: name, args })}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`Python ended in ${name}:\n${said.slice(-30).join('\n')}`)
    const answer = JSON.parse(value) as { result?: unknown; error?: string }
    if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`)
    return answer.result
  }
  return {
    call: (name, args = {}) => {
      const answer = last.then(() => ask(name, args))
      last = answer.catch(() => undefined)
      return answer as Promise<never>
    },
    close: async () => {
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await gone
    },
  }
}
