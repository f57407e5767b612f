import { checkEpoch, type Failure } from './epoch.ts'
import { checkRule, RULES } from './rules.ts'
import type { Arithmetic } from './runtime.ts'
import { isObject, type Json, type JsonObject, list, object } from './vectors.ts'

/** What became of one case of a vector file. */
export interface CaseResult {
  readonly label: string
  readonly failures: readonly Failure[]
}

/**
 * Checks every case of a vector file.
 * @throws Error when the file holds nothing that can be checked
 */
export function* checkFile(name: string, file: JsonObject, arithmetic: Arithmetic): Generator<CaseResult> {
  let cases = 0
  for (const [label, check] of casesOf(name, file)) {
    cases += 1
    yield { label, failures: check(arithmetic) }
  }
  if (cases === 0) throw new Error(`${name} holds no case of a schema that this script knows.`)
}

type Check = (arithmetic: Arithmetic) => readonly Failure[]

function* casesOf(name: string, file: JsonObject): Generator<readonly [string, Check]> {
  for (const key of ['steps', 'cases']) {
    if (key in file) yield* epochs(name, list(file, key))
  }
  for (const [variant, content] of Object.entries(isObject(file.variants) ? file.variants : {})) {
    yield* epochs(`${name} ${variant}`, list(object(content, variant), 'steps'))
  }
  for (const [key, value] of Object.entries(file)) {
    if (!(key in RULES)) continue
    for (const [index, item] of list({ [key]: value }, key).entries()) {
      yield [`${name} ${key}[${index}]`, (arithmetic) => checkRule(key, item, arithmetic)]
    }
  }
}

function* epochs(name: string, cases: readonly Json[]): Generator<readonly [string, Check]> {
  for (const [index, item] of cases.entries()) {
    yield [`${name}[${index}]`, (arithmetic) => checkEpoch(object(item, 'case'), arithmetic)]
  }
}
