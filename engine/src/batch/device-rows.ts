import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { CacheSpec } from '../cache-spec.ts'
import type { Cache } from '../decoder.ts'
import { FLOAT16, FLOAT32, INT64 } from '../graph/dtypes.ts'
import { GRAPH } from '../graph/onnx.ts'
import { nodeField, valueField } from '../graph/rewrite.ts'
import { field, numberField } from '../graph/wire.ts'
import type { AssembleRows, RowPiece } from './rows.ts'

/** Moves rows between caches that stay on a device. */
export interface DeviceRows {
  readonly assemble: AssembleRows
  release(): Promise<void>
}

/**
 * Opens two small graphs that cut and join caches where they lie. Reading a device's buffer here is no way out: the runtime's binding
 * ends the process when it is asked to (onnxruntime-node 1.30).
 */
export const openDeviceRows = async (specs: readonly CacheSpec[]): Promise<DeviceRows> => {
  const type = specs[0]?.type === 'float16' ? FLOAT16 : FLOAT32
  const cut = await open(cutGraph(type))
  const join = await open(joinGraph(type))
  const run = async (session: InferenceSession, feeds: Record<string, Tensor>): Promise<Tensor> => {
    const { y } = await session.run(feeds)
    if (y === undefined) throw new Error('a graph of ours gave nothing')
    return y
  }
  const assemble: AssembleRows = async (pieces) => {
    const length = Math.max(...pieces.map((piece) => piece.length))
    const blocks = blocksOf(pieces)
    const tensors: Tensor[] = []
    for (const index of specs.keys()) {
      let whole: Tensor | undefined
      for (const block of blocks) {
        const part = await run(cut, { x: tensorOf(block.cache, index), ...cutFeeds(block, length) })
        if (whole === undefined) whole = part
        else {
          const joined = await run(join, { x: whole, z: part })
          for (const each of [whole, part]) each.dispose()
          whole = joined
        }
      }
      if (whole !== undefined) tensors.push(whole)
    }
    return { tensors, rows: pieces.length, length }
  }
  return {
    assemble,
    release: async () => {
      await Promise.all([cut.release(), join.release()])
    },
  }
}

/** Rows of one cache that are cut in one go: from the longest one's first token. */
interface Block {
  readonly cache: Cache
  readonly rows: readonly number[]
  readonly from: number
  readonly to: number
}

/** Puts neighbouring pieces of one cache that end together into one block. */
const blocksOf = (pieces: readonly RowPiece[]): Block[] => {
  const blocks: Block[] = []
  for (const { cache, row, from, length } of pieces) {
    const last = blocks.at(-1)
    const to = from + length
    if (last?.cache === cache && last.to === to) {
      blocks[blocks.length - 1] = { cache, rows: [...last.rows, row], from: Math.min(last.from, from), to }
    } else blocks.push({ cache, rows: [row], from, to })
  }
  return blocks
}

const cutFeeds = ({ rows, from, to }: Block, length: number): Record<string, Tensor> => {
  const numbers = (...values: number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length])
  return {
    rows: numbers(...rows),
    starts: numbers(from),
    ends: numbers(to),
    axes: numbers(2),
    pads: numbers(0, 0, length - (to - from), 0, 0, 0, 0, 0),
  }
}

const tensorOf = ({ tensors }: Cache, index: number): Tensor => {
  const tensor = tensors[index]
  if (tensor === undefined) throw new Error('a cache lacks a tensor')
  return tensor
}

const open = (graph: Buffer): Promise<InferenceSession> =>
  InferenceSession.create(graph, {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 3,
  })

/** y = x[rows, :, starts:ends, :], padded with zeros */
const cutGraph = (type: number): Buffer =>
  model([
    nodeField({ name: 'gather', op: 'Gather', inputs: ['x', 'rows'], outputs: ['g'], integers: { axis: 0 } }),
    nodeField({ name: 'slice', op: 'Slice', inputs: ['g', 'starts', 'ends', 'axes'], outputs: ['s'] }),
    nodeField({ name: 'pad', op: 'Pad', inputs: ['s', 'pads'], outputs: ['y'] }),
    cacheValue(GRAPH.input, 'x', type),
    ...['rows', 'starts', 'ends', 'axes', 'pads'].map((name) =>
      valueField(GRAPH.input, { name, type: INT64, dims: [name === 'rows' ? 'n' : name === 'pads' ? 8 : 1] }),
    ),
    cacheValue(GRAPH.output, 'y', type),
  ])

/** y = x, then z */
const joinGraph = (type: number): Buffer =>
  model([
    nodeField({ name: 'concat', op: 'Concat', inputs: ['x', 'z'], outputs: ['y'], integers: { axis: 0 } }),
    cacheValue(GRAPH.input, 'x', type),
    cacheValue(GRAPH.input, 'z', type),
    cacheValue(GRAPH.output, 'y', type),
  ])

const cacheValue = (number: number, name: string, type: number): Buffer =>
  valueField(number, { name, type, dims: [`${name}0`, `${name}1`, `${name}2`, `${name}3`] })

const model = (fields: readonly Buffer[]): Buffer =>
  Buffer.concat([numberField(1, 8), field(8, numberField(2, 17)), field(7, ...fields, field(2, 'rows'))])
