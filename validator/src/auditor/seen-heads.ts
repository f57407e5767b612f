import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { SubnetError } from '@arbor/shared/errors'
import { readHead, type SignedHead } from '@arbor/shared/tree-head'
import type { Ss58 } from '@arbor/shared/units'
import type { SeenHeads } from './follow-sources.ts'

/** Heads of so many validators are kept: all that a subnet gives a permit. */
const MOST = 256

/**
 * Opens the newest heads that were seen of each source: signed by them, so that a log that is taken back convicts its writer.
 * @param of.forget sources whose heads of before now are forgotten: they say that they lost the log
 * @throws AUDIT_EARLIER when the file was edited or cut short
 */
export function openSeenHeads({
  file,
  forget,
}: {
  readonly file: string
  readonly forget: readonly Ss58[]
}): SeenHeads {
  const heads = new Map<Ss58, SignedHead>(existsSync(file) ? read(file).map((head) => [head.hotkey, head]) : [])
  for (const validator of forget) heads.delete(validator)
  return {
    get: (validator) => heads.get(validator),
    set: (head) => {
      heads.delete(head.hotkey)
      heads.set(head.hotkey, head)
      const [oldest] = heads.keys()
      if (heads.size > MOST && oldest !== undefined) heads.delete(oldest)
      const part = `${file}.part`
      writeFileSync(part, `${JSON.stringify([...heads.values()])}\n`, { mode: 0o600 })
      renameSync(part, file)
    },
  }
}

function read(file: string): readonly SignedHead[] {
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return (Array.isArray(json) ? json : [json]).map(readHead)
  } catch (cause) {
    throw new SubnetError({
      code: 'AUDIT_EARLIER',
      message: `${file} holds no signed heads of logs; restore it, or remove it: then a log that was taken back before now is not noticed`,
      cause,
    })
  }
}
