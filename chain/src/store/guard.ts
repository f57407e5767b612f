import type { StoreName } from './kind.ts'
import { storeFailure } from './refusals.ts'

/** Makes every method of a store's object, and of those in it, throw errors of ours where SQLite refuses: a full disk, a lock, damage. */
export const guarded = <Methods extends object>(methods: Methods, of: StoreName): Methods => {
  const typed = { ...methods }
  for (const key of Reflect.ownKeys(methods)) {
    const method: unknown = Reflect.get(methods, key)
    if (typeof method === 'function')
      Reflect.set(typed, key, (...given: unknown[]) => attempt(() => method(...given), of))
    else if (typeof method === 'object' && method !== null) Reflect.set(typed, key, guarded(method, of))
  }
  return typed
}

/** Runs a body whose errors of SQLite get codes of ours. @throws STORE_FULL, STORE_BUSY, STORE_NOT_WRITTEN, STORE_DAMAGED, STORE_READ_ONLY */
export const attempt = <T>(body: () => T, of: StoreName): T => {
  try {
    return body()
  } catch (cause) {
    throw storeFailure(cause, of)
  }
}
