// How long Bittensor's own Python SDK takes to connect, to Arbor's metadata and to Bittensor's: node bench/sdk-connect.ts [runs].
// Needs scripts/interop-setup. Each run is a fresh Python process; the arms alternate in one sitting.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { WebSocket, WebSocketServer } from 'ws'
import { startRealChain } from '../test/e2e/support/real-chain.ts'
import { writeResult } from './write.ts'

const run = promisify(execFile)
const runs = Number(process.argv[2] ?? 7)
const repository = fileURLToPath(new URL('..', import.meta.url))
const pythons = process.env.ARBOR_PYTHON ?? join(repository, '.arbor/python')

/** bittensor's spec 343 in V15: the newest full metadata that the SDK reads as it is served. */
const full = new Uint8Array(
  gunzipSync(readFileSync(new URL('../test/vectors/metadata/subtensor-spec343.v15.scale.gz', import.meta.url))),
)

const script = `
import sys, time, json
import bittensor as bt
wall, cpu = time.perf_counter(), time.process_time()
subtensor = bt.Subtensor(network=sys.argv.pop())
print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "block": subtensor.block}))
`

/** Writes `Option<OpaqueMetadata>` as the runtime API answers it. */
const optional = (metadata: Uint8Array): string => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(metadata.length * 4 + 2) // SCALE compact, four bytes
  return `0x01${length.toString('hex')}${Buffer.from(metadata).toString('hex')}`
}

/** Stands before a chain and passes everything on, except that it answers for the metadata where it is given one. */
async function startFront(of: {
  readonly target: string
  readonly metadata: Uint8Array | null
}): Promise<{ readonly url: string; readonly server: Server; readonly metadataBytes: () => number }> {
  const server = createServer()
  let bytes = 0
  new WebSocketServer({ server }).on('connection', (down) => {
    const up = new WebSocket(of.target)
    const asked = new Set<unknown>()
    const waiting: string[] = []
    up.on('open', () => {
      for (const text of waiting) up.send(text)
    })
    down.on('message', (message) => {
      const text = String(message)
      const { id, params } = JSON.parse(text) as { id: unknown; params: unknown[] }
      if (params[0] === 'Metadata_metadata_at_version') asked.add(id)
      if (up.readyState === WebSocket.OPEN) up.send(text)
      else waiting.push(text)
    })
    up.on('message', (message) => {
      const answer = JSON.parse(String(message)) as { id?: unknown; result?: string }
      if (!asked.has(answer.id)) return down.send(String(message))
      const result = of.metadata === null ? String(answer.result) : optional(of.metadata)
      bytes = result.length / 2 - 6
      down.send(JSON.stringify({ ...answer, result }))
    })
    down.on('close', () => up.close())
    for (const socket of [up, down]) socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server, metadataBytes: () => bytes }
}

interface Connected {
  readonly wall: number
  readonly cpu: number
  readonly block: number
}

/** Connects once, in a process and a home of its own. */
async function connectOnce(url: string): Promise<Connected> {
  const home = mkdtempSync(join(tmpdir(), 'arbor-connect-'))
  try {
    const { stdout } = await run(python, ['-c', script, url], {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home },
    })
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Connected
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

const python = join(pythons, 'bittensor-10.5', 'bin', 'python')
if (!existsSync(python)) throw new Error(`${python} is not there; run scripts/interop-setup`)
const chain = await startRealChain({ blockTime: '1s' })
const arms = {
  Arbor: await startFront({ target: chain.url, metadata: null }),
  'full metadata': await startFront({ target: chain.url, metadata: full }),
}
const wall: Record<string, number[]> = {}
const cpu: Record<string, number[]> = {}
const size: Record<string, number[]> = {}
try {
  for (let done = 0; done < runs; done += 1) {
    for (const [arm, { url, metadataBytes }] of Object.entries(arms)) {
      const taken = await connectOnce(url)
      wall[arm] = [...(wall[arm] ?? []), Number(taken.wall.toFixed(3))]
      cpu[arm] = [...(cpu[arm] ?? []), Number(taken.cpu.toFixed(3))]
      size[arm] = [Math.round(metadataBytes() / 1_000)]
    }
  }
} finally {
  for (const { server } of Object.values(arms)) {
    server.closeAllConnections()
    server.close()
  }
  await chain.stop()
}
writeResult('sdk-connect', [
  { what: 'connect', unit: 's wall', runs: wall },
  { what: 'connect', unit: 'CPU s', runs: cpu },
  { what: 'metadata', unit: 'KB', runs: size },
])
