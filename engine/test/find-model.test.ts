import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findModel } from '../src/find-model.ts'
import { TINY } from './support/models.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'arbor-find-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

test('a name is found in the checkout when the working directory has none of it', () => {
  expect(findModel({ model: 'arbor-tiny', cwd })).toBe(TINY)
})

test('a name is found in the working directory first when both have it', () => {
  const own = join(cwd, '.arbor', 'models', 'arbor-tiny')
  mkdirSync(own, { recursive: true })
  expect(findModel({ model: 'arbor-tiny', cwd })).toBe(own)
})

test('a path is found when it leads to a folder', () => {
  mkdirSync(join(cwd, 'mine'))
  expect(findModel({ model: './mine', cwd })).toBe(join(cwd, 'mine'))
  expect(findModel({ model: 'mine', cwd })).toBe(join(cwd, 'mine'))
  expect(findModel({ model: TINY, cwd: '/' })).toBe(TINY)
})

test.each(['none', './none', '../models/none', ''])('the model %j is missing when nothing is there', (model) => {
  expect(() => findModel({ model: model || 'no such name', cwd })).toThrow(
    expect.objectContaining({ code: 'MODEL_MISSING' }),
  )
})
