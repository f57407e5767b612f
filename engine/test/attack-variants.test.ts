import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAttack } from '../src/attacks/open.ts'
import { siblingOf } from '../src/attacks/sibling.ts'
import { roundToInt4, roundToInt8, stepOnce } from '../src/attacks/variants/alter.ts'
import { editWeights } from '../src/attacks/variants/edit.ts'
import { makeVariant, type Variant } from '../src/attacks/variants/make.ts'
import { linearWeights, residualWrites, type Weight } from '../src/attacks/variants/weights.ts'
import { readModelFolder } from '../src/folder.ts'
import { readGraph, type TensorInfo } from '../src/graph/onnx.ts'
import { bufferSource } from '../src/graph/source.ts'
import { field, numberField } from '../src/graph/wire.ts'
import { TINY, TINY_INT8 } from './support/models.ts'

let scratch: string

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'arbor-variants-'))
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const random = (length: number, seed = 7): Float32Array => {
  let state = seed
  return Float32Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    return state / 2 ** 31 / 10
  })
}

describe('roundToInt8', () => {
  test('leaves at most 255 levels for each output, each within half a step of what it was', () => {
    const [rows, columns] = [64, 3]
    const before = random(rows * columns)
    const values = Float32Array.from(before)
    roundToInt8({ values, rows, columns, inputs: 'rows' })
    for (let column = 0; column < columns; column++) {
      const of = (from: Float32Array) => Array.from({ length: rows }, (_, row) => from[row * columns + column] ?? 0)
      const step = Math.max(...of(before).map(Math.abs)) / 127
      const levels = of(values).map((value) => value / step)
      expect(levels.every((level) => Math.abs(level - Math.round(level)) < 1e-4 && Math.abs(level) < 127.5)).toBe(true)
      for (const [row, value] of of(values).entries())
        expect(Math.abs(value - (of(before)[row] ?? 0))).toBeLessThanOrEqual(step * 0.5001)
    }
  })
})

describe('roundToInt4', () => {
  test('leaves sixteen levels for each block of 32 inputs, along whichever axis they run', () => {
    const before = random(64)
    const along = Float32Array.from(before)
    roundToInt4({ values: along, rows: 1, columns: 64, inputs: 'columns' })
    const across = Float32Array.from(before)
    roundToInt4({ values: across, rows: 64, columns: 1, inputs: 'rows' })
    expect(across).toEqual(along)
    for (const block of [along.subarray(0, 32), along.subarray(32)]) expect(new Set(block).size).toBeLessThanOrEqual(16)
    expect(new Set(along).size).toBeGreaterThan(16)
  })

  test('leaves zeros alone', () => {
    const values = new Float32Array(32)
    roundToInt4({ values, rows: 1, columns: 32, inputs: 'columns' })
    expect(values).toEqual(new Float32Array(32))
  })
})

test('stepOnce moves each weight by 1e-4, up or down about as often, as its seed says', () => {
  const step = (seed: number): Float32Array => {
    const values = new Float32Array(1_000)
    stepOnce({ values, rows: 1, columns: 1_000, inputs: 'columns' }, seed)
    return values
  }
  expect(step(5)).toEqual(step(5))
  expect(step(5)).not.toEqual(step(7))
  expect(new Set(step(5))).toEqual(new Set([Math.fround(1e-4), Math.fround(-1e-4)]))
  expect(Math.abs(step(5).filter((value) => value > 0).length - 500)).toBeLessThan(80)
})

const graphOf = (folder: string) => {
  const bytes = readFileSync(join(folder, 'model.onnx'))
  return { bytes, graph: readGraph(bufferSource(bytes)) }
}
const rawOf = (bytes: Buffer, { raw }: TensorInfo): Buffer => bytes.subarray(raw?.start ?? 0, raw?.end ?? 0)

describe('makeVariant', () => {
  test.each<Variant>([
    'int8',
    'int4',
    'fine-tune',
    'skip',
    'half',
  ])('alters linear weights alone and writes a card that opens, for %s', async (variant) => {
    const made = await makeVariant({ folder: TINY, variant, into: scratch })
    const honest = await readModelFolder({ folder: TINY })
    const other = await readModelFolder({ folder: made })
    expect(other.id).toMatchObject({ name: `arbor-tiny-${variant}`, profile: honest.id.profile })
    expect(other.id.hash).not.toBe(honest.id.hash)
    expect(other.card.thresholds).toEqual([])
    const [before, after] = [graphOf(TINY), graphOf(made)]
    expect(after.bytes.length).toBe(before.bytes.length)
    const weights = linearWeights(before.graph)
    const linear = new Set(weights.map(({ tensor }) => tensor.name))
    const changed = before.graph.initialisers
      .filter((tensor) => !rawOf(before.bytes, tensor).equals(rawOf(after.bytes, tensor)))
      .map(({ name }) => name)
    expect(changed.every((name) => linear.has(name))).toBe(true)
    const layer = residualWrites(weights, 2)[1]?.map(({ tensor }) => tensor.name)
    if (variant === 'skip' || variant === 'half') expect(changed).toEqual(layer)
    else expect(changed.length).toBe(linear.size)
    expect(await makeVariant({ folder: TINY, variant, into: scratch })).toBe(made)
  })

  test('refuses a model without float weights, and one whose layers it cannot tell', async () => {
    const refused = makeVariant({ folder: TINY_INT8, variant: 'int4', into: scratch })
    await expect(refused).rejects.toMatchObject({ code: 'ATTACK_NOT_POSSIBLE' })
    const folder = join(scratch, 'deeper')
    cpSync(TINY, folder, { recursive: true })
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 3 }))
    const other = makeVariant({ folder, variant: 'skip', into: join(scratch, 'deep') })
    await expect(other).rejects.toMatchObject({ code: 'ATTACK_NOT_POSSIBLE' })
  })

  test('says which folder could not be written', async () => {
    const file = join(scratch, 'a-file')
    writeFileSync(file, '')
    const refused = makeVariant({ folder: TINY, variant: 'int8', into: file })
    await expect(refused).rejects.toMatchObject({ code: 'ATTACK_FOLDER' })
  })
})

describe('editWeights', () => {
  const matrix = { rows: 2, columns: 32 }
  const values = random(matrix.rows * matrix.columns)

  /** Writes a graph of one MatMul whose weight is of a type, in the file or beside it. */
  const write = (folder: string, type: 'float32' | 'float16', isExternal: boolean): readonly Weight[] => {
    const stored = type === 'float32' ? Float32Array.from(values) : new Float16Array(values)
    const raw = Buffer.from(stored.buffer)
    const dims = [matrix.rows, matrix.columns].map((dim) => numberField(1, dim))
    const head = [...dims, numberField(2, type === 'float32' ? 1 : 10), field(8, 'w')]
    const entry = (key: string, value: string) => field(13, field(1, key), field(2, value))
    const tail = isExternal
      ? [
          entry('location', 'model.onnx_data'),
          entry('offset', '16'),
          entry('length', `${raw.length}`),
          numberField(14, 1),
        ]
      : [field(9, raw)]
    const node = field(1, field(1, 'x'), field(1, 'w'), field(2, 'y'), field(4, 'MatMul'))
    const bytes = field(7, node, field(5, ...head, ...tail))
    writeFileSync(join(folder, 'model.onnx'), bytes)
    writeFileSync(join(folder, 'model.onnx_data'), Buffer.concat([Buffer.alloc(16, 1), raw, Buffer.alloc(4, 2)]))
    return linearWeights(readGraph(bufferSource(bytes)))
  }

  test.each([
    ['float32', false],
    ['float32', true],
    ['float16', false],
    ['float16', true],
  ] as const)('doubles %s weights in place where their file is another one: %s', (type, isExternal) => {
    const folder = mkdtempSync(join(scratch, 'edit-'))
    const weights = write(folder, type, isExternal)
    const name = isExternal ? 'model.onnx_data' : 'model.onnx'
    const before = readFileSync(join(folder, name))
    editWeights({
      folder,
      graph: 'model.onnx',
      weights,
      alter: (each) => each.values.set(each.values.map((value) => 2 * value)),
    })
    const after = readFileSync(join(folder, name))
    expect(after.length).toBe(before.length)
    const start = isExternal ? 16 : (weights[0]?.tensor.raw?.start ?? 0)
    const size = values.length * (type === 'float32' ? 4 : 2)
    const read = (from: Buffer) => {
      const bytes = Uint8Array.from(from.subarray(start, start + size)).buffer
      return type === 'float32' ? new Float32Array(bytes) : new Float16Array(bytes)
    }
    expect(Array.from(read(after))).toEqual(Array.from(read(before), (value) => 2 * value))
    expect(after.subarray(0, start)).toEqual(before.subarray(0, start))
    expect(after.subarray(start + size)).toEqual(before.subarray(start + size))
  })
})

describe('openAttack', () => {
  test('claims the honest model, and generates what its own weights give', async () => {
    const honest = await readModelFolder({ folder: TINY })
    const engine = await openAttack({ attack: 'int8', folder: TINY, into: scratch, random: () => new Uint8Array() })
    try {
      expect(engine.model).toEqual(honest.id)
      const request = { prompt: 'A slice', maxTokens: 4, temperature: 0, seed: `0x${'00'.repeat(32)}` } as const
      const answer = await engine.generate(request)
      expect(answer.tokens).toHaveLength(4)
    } finally {
      await engine.close()
    }
  })

  test('refuses a name that no attack has', async () => {
    const refused = openAttack({ attack: 'none', folder: TINY, into: scratch, random: () => new Uint8Array() })
    await expect(refused).rejects.toMatchObject({ code: 'ATTACK_UNKNOWN' })
  })

  test('takes the smaller model of the same tokenizer as the sibling, where there is one', async () => {
    expect(await siblingOf(join(TINY, '..', 'arbor-2m'))).toBe(TINY)
    expect(await siblingOf(TINY)).toBeNull()
  })
})
