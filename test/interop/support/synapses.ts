import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { z } from 'zod'

const x = z.object({ x: z.bigint() })
const nothing = z.object({})

/** Makes a task of what matters to a synapse; nobody plans or scores these. */
const task = <Request, Response>(
  of: Pick<TaskDefinition<Request, Response>, 'request' | 'response' | 'solve'> &
    Partial<Pick<TaskDefinition<Request, Response>, 'stream' | 'deadlineMs'>> & {
      readonly synapse: NonNullable<TaskDefinition['synapse']>
    },
): TaskDefinition & { readonly synapse: NonNullable<TaskDefinition['synapse']> } => {
  const unused = (): never => {
    throw new Error('a synapse of the interop table is neither planned nor scored')
  }
  const { request, solve } = of
  return {
    deadlineMs: 60_000,
    maxRequestBytes: 4_194_304,
    maxResponseBytes: 4_194_304,
    plan: unused,
    score: unused,
    ...of,
    solve: (context) => solve({ ...context, request: request.parse(context.request) }),
  }
}

/** The synapses of the table in docs/bittensor.md, for both commands: serve.ts answers them, query.ts asks them. */
export const synapses = {
  Synapse: task({
    synapse: { name: 'Synapse', hashed: [] },
    request: nothing,
    response: nothing,
    solve: async () => ({}),
  }),
  Echo: task({
    synapse: { name: 'Echo', hashed: ['text', 'n'] },
    request: z.object({ text: z.string(), n: z.bigint() }),
    response: z.object({ reply: z.string().nullable() }),
    solve: async ({ request: { text, n } }) => ({ reply: `${text}|${n}` }),
  }),
  Dummy: task({
    synapse: { name: 'Dummy', hashed: [] },
    request: z.object({ dummy_input: z.bigint() }),
    response: z.object({ dummy_output: z.bigint().nullable() }),
    solve: async ({ request }) => ({ dummy_output: 2n * request.dummy_input }),
  }),
  Many: task({
    synapse: { name: 'Many', hashed: ['s', 'i', 'f', 'b', 'l', 'd', 'o'] },
    request: z.object({
      s: z.string(),
      i: z.bigint(),
      f: z.number(),
      b: z.boolean(),
      l: z.array(z.bigint()),
      d: z.record(z.string(), z.unknown()),
      o: z.string().nullable().default(null),
    }),
    response: z.object({ out: z.record(z.string(), z.unknown()).nullable() }),
    solve: async ({ request }) => ({ out: { got: request.l } }),
  }),
  StreamEcho: task({
    synapse: { name: 'StreamEcho', hashed: ['prompt'], stream: 'completion' },
    stream: true,
    request: z.object({ prompt: z.string() }),
    response: z.object({ completion: z.string().default('') }),
    solve: async ({ request, emit }) => {
      const chunks = [...request.prompt.split(' ').map((word) => `${word} `), 'END']
      for (const chunk of chunks) {
        emit?.(chunk)
        await new Promise((resolve) => setTimeout(resolve, 20)) // so that they leave one by one
      }
      return { completion: chunks.join('') }
    },
  }),
  Slow: task({
    synapse: { name: 'Slow', hashed: [] },
    request: x,
    response: nothing,
    solve: ({ signal }) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => resolve({}), 3_000)
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(signal.reason)
        })
      }),
  }),
  Boom: task({
    synapse: { name: 'Boom', hashed: [] },
    request: x,
    response: nothing,
    solve: async () => {
      throw new Error('boom')
    },
  }),
  Black: task({ synapse: { name: 'Black', hashed: [] }, request: x, response: nothing, solve: async () => ({}) }),
  Prio: task({ synapse: { name: 'Prio', hashed: [] }, request: x, response: nothing, solve: async () => ({}) }),
  Custom: task({ synapse: { name: 'Custom', hashed: [] }, request: x, response: nothing, solve: async () => ({}) }),
} as const satisfies Readonly<Record<string, TaskDefinition>>
