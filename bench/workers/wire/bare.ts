// The bare arm of bench/wire.ts: node:http and undici, JSON in and out, no signature. Arguments: `serve PORT`, `ask PORT`.
import { createServer } from 'node:http'
import { Agent } from 'undici'
import { runJobs, say } from './talk.ts'

const [role, port = ''] = process.argv.slice(2)

/** Answers every question with its own text. */
function serve(): void {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const { text } = JSON.parse(Buffer.concat(parts).toString())
    const body = Buffer.from(JSON.stringify({ reply: text }))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
  })
  server.listen(Number(port), '0.0.0.0', () => say({ ready: '' }))
  process.stdin.resume().on('end', () => process.exit(0))
}

async function ask(): Promise<void> {
  const agent = new Agent({ connections: 128, pipelining: 1 })
  say({ ready: '' })
  await runJobs(async ({ address, text }) => {
    const reply = await agent.request({
      origin: `http://${address}:${port}`,
      path: '/echo',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    })
    const { reply: echoed } = (await reply.body.json()) as { reply: string }
    return reply.statusCode === 200 && echoed === text
  })
  await agent.close()
}

if (role === 'serve') serve()
else await ask()
