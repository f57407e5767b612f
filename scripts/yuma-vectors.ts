// Runs Yuma vector files through the shipped runtime: scripts/yuma-vectors FILE.json…
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { checkFile } from './yuma/check.ts'
import { openArithmetic } from './yuma/runtime.ts'
import { parseVectors } from './yuma/vectors.ts'

const files = process.argv.slice(2)
if (files.length === 0 || files.some((file) => file.startsWith('-'))) {
  console.error('usage: yuma-vectors FILE.json…   (vectors of this repository: test/vectors/yuma)')
  process.exit(2)
}

const arithmetic = await openArithmetic()
let passed = 0
let failed = 0
for (const file of files) {
  try {
    for (const { label, failures } of checkFile(basename(file), parseVectors(readFileSync(file, 'utf8')), arithmetic)) {
      if (failures.length === 0) passed += 1
      else failed += 1
      for (const { field, expected, got } of failures) {
        console.log(`FAIL ${label}\n  field    ${field}\n  expected ${expected}\n  got      ${got}`)
      }
    }
  } catch (cause) {
    failed += 1 // the rest of this file cannot be checked
    console.log(`FAIL ${file}\n  ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
