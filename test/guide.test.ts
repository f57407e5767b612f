import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { applyEdit, type Edit, editsOf } from '../scripts/guide/edits.ts'

const root = new URL('../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')

describe('docs/chain-call.md', () => {
  const edits = editsOf(read('docs/chain-call.md'))

  test('asks for changes of all that a call consists of', () => {
    const files = edits.map(({ file }) => file.split('/').at(-1))
    for (const part of ['storage.rs', 'errors.rs', 'events.rs', 'calls.rs', 'motto.rs', 'lib.rs', 'mod.rs'])
      expect(files).toContain(part)
    expect(edits).toHaveLength([...read('docs/chain-call.md').matchAll(/^```rust$/gm)].length)
  })

  test.each(edits.map((edit) => [edit.file, edit] as const))('names a place that is there in %s', (file, edit) => {
    const source = existsSync(new URL(file, root)) ? read(file) : undefined
    expect(applyEdit(source, edit)).toContain(edit.text.trim())
  })
})

describe('numbers in docs/chain-call.md', () => {
  const numbersIn = (text: string): readonly number[] =>
    [...text.matchAll(/(?:codec\(index = |call_index\()(\d+)/g)].map(([, number]) => Number(number))
  const edits = editsOf(read('docs/chain-call.md'))

  test('continue the list of errors, which may have no gap', () => {
    const edit = edits.find(({ file }) => file.endsWith('/errors.rs'))
    expect(numbersIn(edit?.text ?? '')).toEqual([Math.max(...numbersIn(read(edit?.file ?? ''))) + 1])
  })

  test.each(['events.rs', 'calls.rs'])('are free in %s', (name) => {
    const edit = edits.find(({ file }) => file.endsWith(`/${name}`))
    const [number = -1] = numbersIn(edit?.text ?? '')
    expect(numbersIn(read(edit?.file ?? ''))).not.toContain(number)
  })
})

describe('change of a file', () => {
  const edit = (of: Partial<Edit>): Edit => ({ file: 'a.rs', place: 'after', line: 'mod b;', text: 'mod c;\n', ...of })

  test('goes after a line when that is an item', () => {
    expect(applyEdit('mod a;\nmod b;\nmod d;\n', edit({}))).toBe('mod a;\nmod b;\nmod c;\nmod d;\n')
  })

  test('goes after the end of a function when its head is named', () => {
    const source = '    fn f(\n        x: u8,\n    ) {\n        x\n    }\n}\n'
    expect(applyEdit(source, edit({ line: 'fn f', text: '    fn g() {}\n' }))).toBe(
      '    fn f(\n        x: u8,\n    ) {\n        x\n    }\n    fn g() {}\n}\n',
    )
  })

  test('takes the place of a line when it shall', () => {
    expect(applyEdit('mod a;\nmod b;\n', edit({ place: 'instead of' }))).toBe('mod a;\nmod c;\n')
  })

  test('is refused when the line is not there exactly once', () => {
    expect(() => applyEdit('mod a;\n', edit({}))).toThrow('0 times')
    expect(() => applyEdit('mod b;\nmod b;\n', edit({}))).toThrow('2 times')
  })
})
