import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDecoder } from '../src/decoder.ts'
import { mustHoldWeights } from '../src/graph/external.ts'
import { readIo } from '../src/graph/io.ts'
import { type Graph, readGraph } from '../src/graph/onnx.ts'
import { prepareGraph } from '../src/graph/prepare.ts'
import { profileOf } from '../src/graph/profile.ts'
import { piecesBuffer, rewrite } from '../src/graph/rewrite.ts'
import { bufferSource, openSource } from '../src/graph/source.ts'
import { tryGraph } from '../src/graph/trial.ts'
import { openSession } from '../src/session.ts'
import { TINY } from './support/models.ts'

interface Value {
  readonly name: string
  readonly type: number
  readonly dims: readonly (number | string | null)[]
}
interface Expected {
  readonly read: {
    readonly nodes: readonly [string, readonly string[], readonly string[]][]
    readonly initialisers: readonly [string, number, readonly number[], string][]
    readonly inputs: readonly Value[]
    readonly outputs: readonly Value[]
  }
  readonly run?: { readonly logits: readonly number[]; readonly last_hidden_state?: readonly number[] }
}

const vectors = fileURLToPath(new URL('../../test/vectors/graph', import.meta.url))
const { prompt, graphs }: { readonly prompt: readonly number[]; readonly graphs: Readonly<Record<string, Expected>> } =
  JSON.parse(readFileSync(join(vectors, 'expected.json'), 'utf8'))
const names = Object.keys(graphs)
const runnable = names.filter((name) => graphs[name]?.run !== undefined)
const fileOf = (name: string): string => join(vectors, `${name}.onnx`)
const read = (name: string): Graph => readGraph(bufferSource(readFileSync(fileOf(name))))
const changed = (graph: Graph): Buffer => piecesBuffer(graph.source, rewrite(graph, prepareGraph(graph).edit))

let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'arbor-graph-'))
  writeFileSync(join(scratch, 'outside.onnx_data'), readFileSync(join(vectors, 'outside.onnx_data')))
})
afterAll(() => rmSync(scratch, { recursive: true }))

/** Writes a graph with what the engine needs, and names the file. */
const prepare = (name: string): string => {
  const path = join(scratch, `${name}.onnx`)
  writeFileSync(path, changed(read(name)))
  return path
}

describe('reader', () => {
  test.each(names)("the graph %s is read as onnx's own reader does", (name) => {
    const graph = read(name)
    const valuesOf = (each: Graph['inputs']) => each.map(({ name: of, type, dims }) => ({ name: of, type, dims }))
    const contentOf = ({ raw, external }: Graph['tensors'][number]): Buffer => {
      const beside = external && readFileSync(join(vectors, external.location))
      return (
        beside?.subarray(external?.offset, (external?.offset ?? 0) + (external?.length ?? 0)) ??
        graph.source.read(raw?.start ?? 0, raw?.end ?? 0)
      )
    }
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
    expect({
      nodes: graph.nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs]),
      initialisers: graph.initialisers.map((each) => [each.name, each.type, each.dims]),
      inputs: valuesOf(graph.inputs),
      outputs: valuesOf(graph.outputs),
    }).toEqual({
      ...graphs[name]?.read,
      initialisers: graphs[name]?.read.initialisers.map(([of, type, dims]) => [of, type, dims]),
    })
    for (const [index, [, type, , sum]] of (graphs[name]?.read.initialisers ?? []).entries()) {
      const tensor = graph.initialisers[index]
      if (type === 16 || tensor === undefined || (tensor.raw === null && tensor.external === null)) continue // held in typed fields
      expect(digest(contentOf(tensor))).toBe(sum)
    }
  })

  test('a file is read alike through its window and as a whole', () => {
    const path = join(TINY, 'model.onnx')
    const source = openSource(path)
    const plain = ({ source: _, ...graph }: Graph) => graph
    expect(plain(readGraph(source))).toEqual(plain(readGraph(bufferSource(readFileSync(path)))))
    source.close()
  })

  test('a message in several parts is one message', () => {
    const graph = read('plain')
    const once = Buffer.from(graph.source.read(0, graph.source.size))
    const empty = Buffer.from([58, 0]) // an empty graph appended
    expect(readGraph(bufferSource(Buffer.concat([once, empty]))).nodes).toEqual(graph.nodes)
  })

  test.each([
    ['text', Buffer.from('no graph at all, and no protobuf')],
    ['nothing', Buffer.alloc(0)],
    ['an endless number', Buffer.alloc(40, 255)],
    ['a field longer than the file', Buffer.from([58, 127, 1, 2])],
  ])('the file is refused when it holds %s', (_, bytes) => {
    expect(() => readGraph(bufferSource(bytes))).toThrow(expect.objectContaining({ code: 'MODEL_GRAPH_INVALID' }))
  })

  test('a graph cut anywhere is refused or read, and never more', () => {
    const whole = readFileSync(fileOf('half'))
    for (let length = 0; length < whole.length; length += 997) {
      try {
        readGraph(bufferSource(whole.subarray(0, length)))
      } catch (error) {
        expect(error).toMatchObject({ code: 'MODEL_GRAPH_INVALID' })
      }
    }
  })
})

describe('surgery', () => {
  test.each(
    runnable,
  )('the graph %s gives the logits and hidden states of the original when it was changed', async (name) => {
    const { logits = [], last_hidden_state: hidden } = graphs[name]?.run ?? { logits: [] }
    const { session } = await openSession({ graph: prepare(name), providers: ['cpu'], threads: 1 })
    const decoder = openDecoder(session)
    const whole = await decoder.prefill(prompt)
    const apart = (some: Float32Array, others: readonly number[]): number =>
      Math.max(...others.map((value, index) => Math.abs(value - (some[index] ?? Number.NaN))))
    const last = whole.logits.subarray(-whole.vocabulary)
    expect(last).toHaveLength(logits.length)
    expect(apart(last, logits)).toBeLessThan(name.startsWith('half') ? 0.02 : 1e-4)
    if (hidden !== undefined) expect(apart(whole.hidden.subarray(-whole.width), hidden)).toBeLessThan(1e-4)
    const chosen = await decoder.prefill(prompt, [prompt.length - 1, 0])
    expect(chosen.logits).toHaveLength(2 * whole.vocabulary)
    expect(chosen.hidden).toEqual(whole.hidden) // all rows, whatever logits were asked for
    await session.release()
  })

  test('all graphs with one set of weights give one hidden state', async () => {
    const states = []
    for (const name of ['plain', 'whole', 'sliced', 'last', 'outside']) {
      const { session } = await openSession({ graph: prepare(name), providers: ['cpu'], threads: 1 })
      states.push((await openDecoder(session).prefill(prompt)).hidden)
      await session.release()
    }
    for (const state of states) expect(state).toEqual(states[0])
  })

  test.each(names)('the graph %s is left alone when it was changed before', (name) => {
    const again = readGraph(bufferSource(changed(read(name))))
    const { added, edit } = prepareGraph(again)
    expect(added).toEqual([])
    expect(piecesBuffer(again.source, rewrite(again, edit)).equals(again.source.read(0, again.source.size))).toBe(true)
  })

  test('what narrowed the logits before goes, with its input', () => {
    const graph = readGraph(bufferSource(changed(read('sliced'))))
    expect(graph.inputs.map(({ name }) => name)).not.toContain('num_logits_to_keep')
    expect(graph.nodes.map(({ op }) => op)).not.toContain('Slice')
  })

  test('norms of torch are written as the runtime fuses them', () => {
    const graph = read('torchlike')
    expect(prepareGraph(graph).added).toContain('3 norms in the form that the runtime fuses')
    expect(readGraph(bufferSource(changed(graph))).nodes.map(({ op }) => op)).not.toContain('Reciprocal')
  })

  test.each([
    ['no logits', { outputs: [] }, 'MODEL_UNSUPPORTED'],
    [
      'no cache',
      { inputs: (all: Graph['inputs']) => all.filter(({ name }) => !name.startsWith('past')) },
      'MODEL_UNSUPPORTED',
    ],
    [
      'an unknown input',
      { inputs: (all: Graph['inputs']) => [...all, { ...nothing, name: 'token_type_ids', type: 7 }] },
      'MODEL_UNSUPPORTED',
    ],
    [
      'merged decoders',
      { inputs: (all: Graph['inputs']) => [...all, { ...nothing, name: 'use_cache_branch', type: 9 }] },
      'MODEL_UNSUPPORTED',
    ],
    [
      'ids of 32 bits',
      {
        inputs: (all: Graph['inputs']) => all.map((each) => (each.name === 'input_ids' ? { ...each, type: 6 } : each)),
      },
      'MODEL_DTYPE',
    ],
    [
      'a cache of int8',
      {
        inputs: (all: Graph['inputs']) =>
          all.map((each) => (each.name.startsWith('past') ? { ...each, type: 3 } : each)),
      },
      'MODEL_DTYPE',
    ],
    [
      'open sizes of the cache',
      {
        inputs: (all: Graph['inputs']) =>
          all.map((each) => (each.name.startsWith('past') ? { ...each, dims: ['a', 'b', 'c', 'd'] } : each)),
      },
      'MODEL_UNSUPPORTED',
    ],
  ])('a graph is refused when it has %s', (_, change, code) => {
    const graph = read('plain')
    const inputs = 'inputs' in change && change.inputs !== undefined ? change.inputs(graph.inputs) : graph.inputs
    const outputs = 'outputs' in change && change.outputs !== undefined ? change.outputs : graph.outputs
    expect(() => readIo({ ...graph, inputs, outputs })).toThrow(expect.objectContaining({ code }))
  })

  test('a hidden state that the head does not read is refused', () => {
    const graph = read('whole')
    const nodes = graph.nodes.map((node) =>
      node.outputs[0] === 'last_hidden_state' ? { ...node, inputs: ['embedded'] } : node,
    )
    expect(() => prepareGraph({ ...graph, nodes })).toThrow(/not what its head reads/)
  })
})

const nothing = { start: 0, end: 0, dims: null }

describe('precision profile', () => {
  test.each([
    ['plain', 'fp32'],
    ['half', 'fp16'],
    ['dynamic', 'int8'],
  ])('the graph %s has the profile %s', (name, profile) => {
    expect(profileOf(read(name)).profile).toBe(profile)
  })

  test('bfloat16 is refused with the reason', () => {
    expect(() => profileOf(read('brain'))).toThrow(
      /small is bfloat16: its rounding is as large as what int8 weights change/,
    )
  })

  test('an unknown element type is refused by name', () => {
    const graph = read('plain')
    const tensors = graph.tensors.map((each, index) => (index === 0 ? { ...each, type: 99 } : each))
    expect(() => profileOf({ ...graph, tensors })).toThrow(expect.objectContaining({ code: 'MODEL_DTYPE' }))
  })
})

describe('weights outside', () => {
  const graph = read('outside')
  const at = (location: string, more: { readonly offset?: number; readonly length?: number } = {}): Graph => ({
    ...graph,
    tensors: graph.tensors.map((each) =>
      each.external === null ? each : { ...each, external: { ...each.external, location, ...more } },
    ),
  })
  const hold = (of: Graph): void =>
    mustHoldWeights({ graph: of, folder: vectors, names: ['outside.onnx_data', 'plain.onnx'] })

  test('they are taken when they lie in the folder', () => {
    expect(() => hold(graph)).not.toThrow()
  })

  test.each([
    ['missing', at('other.bin'), /is not in the folder/],
    ['above it', at('../graph/outside.onnx_data'), /leads out of the folder/],
    ['somewhere else', at('/etc/hostname'), /no name relative/],
    ['behind a drive', at('C:weights'), /no name relative/],
    ['too short', at('outside.onnx_data', { offset: 1 << 20 }), /ends at/],
    ['of another size', at('outside.onnx_data', { length: 1 }), /which needs/],
  ])('they are refused when they are %s', (_, of, message) => {
    expect(() => hold(of)).toThrow(
      expect.objectContaining({ code: 'MODEL_FILE_INVALID', message: expect.stringMatching(message) }),
    )
  })
})

describe('trial', () => {
  const trial = (original: string, other: string) => {
    const graph = read('plain')
    return tryGraph({
      original,
      changed: other,
      io: readIo(graph),
      profile: 'fp32',
      tokens: 1024,
      vocabulary: 1024,
      signal: AbortSignal.timeout(60_000),
    })
  }

  test('it shows that sequences may run side by side when the graph masks padding', async () => {
    expect(await trial(fileOf('plain'), prepare('plain'))).toMatchObject({ difference: 0, batches: true })
  })

  test('it fails when the changed graph has other weights', async () => {
    await expect(trial(fileOf('capped'), prepare('plain'))).rejects.toMatchObject({ code: 'MODEL_TRIAL' })
  })
})
