import { expect, test } from 'vitest'
import { printable } from '../src/printable.ts'

test('printable leaves words alone and defuses what a terminal would obey', () => {
  expect(printable('uid 3: 0.5 α, zu spät')).toBe('uid 3: 0.5 α, zu spät')
  expect(printable('a\u001b[2Jb\u009b1mc\r\u202ed')).toBe('a\uFFFD[2Jb\uFFFD1mc\uFFFD\uFFFDd')
})
