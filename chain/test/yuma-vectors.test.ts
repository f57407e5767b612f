import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkFile } from '../../scripts/yuma/check.ts'
import { openArithmetic } from '../../scripts/yuma/runtime.ts'
import { parseVectors } from '../../scripts/yuma/vectors.ts'

const folder = new URL('../../test/vectors/yuma/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const arithmetic = await openArithmetic()

describe('the shipped runtime', () => {
  test.each(files)('equals the reference when it runs %s', (name) => {
    const results = [...checkFile(name, parseVectors(readFileSync(new URL(name, folder), 'utf8')), arithmetic)]
    expect(results.filter((result) => result.failures.length > 0)).toEqual([])
  })

  test('is held against all vectors when the folder is read', () => {
    expect(files).toHaveLength(50)
  })

  test('fails a vector when the reference expects something else', () => {
    const vectors = parseVectors(readFileSync(new URL('one_node_self_weight.json', folder), 'utf8'))
    const wrong = JSON.parse(JSON.stringify(vectors).replace('"stake_weight":[65535]', '"stake_weight":[65534]'))
    const [result] = checkFile('wrong', wrong, arithmetic)
    expect(result?.failures).toEqual([{ field: 'stake_weight', expected: '[65534]', got: '[65535]' }])
  })
})
