/**
 * Joins two signals that live no longer than a request: aborts with the first of them. AbortSignal.any would be kept for as long
 * as somebody listens to it, which a route does for ever.
 */
export const either = (first: AbortSignal, second: AbortSignal): AbortSignal => {
  const joined = new AbortController()
  for (const signal of [first, second]) {
    if (signal.aborted) joined.abort(signal.reason)
    else signal.addEventListener('abort', () => joined.abort(signal.reason), { once: true })
  }
  return joined.signal
}
