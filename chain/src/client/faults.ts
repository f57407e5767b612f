import { SubnetError } from '@arbor/shared/errors'

/**
 * What is wrong with an endpoint: it cannot be reached, its connection was cut, it takes bytes and says nothing, it answers too late,
 * it answers what was not asked, it is behind what was seen, it is on another fork, it is another chain; or nothing is, and a better one
 * is used instead.
 */
export type FaultKind =
  | 'unreachable'
  | 'cut'
  | 'half-open'
  | 'slow'
  | 'garbled'
  | 'behind'
  | 'fork'
  | 'genesis'
  | 'left'

export interface Fault {
  readonly kind: FaultKind
  readonly cause: string
  /** The error that a caller gets when no endpoint is left. */
  readonly error?: SubnetError
}

const KINDS: Readonly<Record<string, FaultKind>> = {
  CHAIN_OTHER_GENESIS: 'genesis',
  CHAIN_FORK: 'fork',
  CHAIN_BEHIND: 'behind',
  CHAIN_ANSWER: 'garbled',
  CHAIN_TIMEOUT: 'slow',
}

/** Reads what an error tells of the endpoint that it came from. */
export const faultOf = (error: unknown): Fault => {
  const cause = error instanceof Error && error.message !== '' ? error.message : String(error)
  if (!(error instanceof SubnetError)) return { kind: 'unreachable', cause }
  return { kind: KINDS[error.code] ?? 'unreachable', cause, error }
}

/** Tells whether an endpoint is of no use until somebody mends it. */
export const isRefusal = ({ kind }: Fault): boolean => kind === 'fork' || kind === 'genesis'

/** Writes an address without what may be a secret: its user, path and query. */
export const endpointName = (url: string): string => {
  const { protocol, host, pathname, search } = new URL(url)
  return `${protocol}//${host}${pathname === '/' && search === '' ? '' : '/…'}`
}
