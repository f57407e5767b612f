import type { TaskDefinition } from '@arbor/subnet-spec/define'

/** Reads a response by its task's schema. @returns why it does not fit */
export function readResponse(
  definition: TaskDefinition,
  body: Uint8Array,
): { readonly ok: true; readonly response: unknown } | { readonly ok: false; readonly reason: 'malformed' | 'schema' } {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return { ok: false, reason: 'malformed' } // whoever sent it
  }
  try {
    const parsed = definition.response.safeParse(value)
    return parsed.success ? { ok: true, response: parsed.data } : { ok: false, reason: 'schema' }
  } catch {
    return { ok: false, reason: 'schema' } // a schema that throws, or overflows the stack, over what a miner sent
  }
}
