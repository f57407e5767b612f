import { SubnetError } from '@arbor/shared/errors'

/** Makes the error of a chain that cannot be reached; the client is dead afterwards. @param causes one for each endpoint */
export const unreachable = (
  triedMs: number,
  causes: readonly { readonly url: string; readonly cause: string }[],
): SubnetError => {
  const [only = { url: '', cause: '' }] = causes
  const tried = `tried for ${Math.round(triedMs / 1000)} s`
  const what =
    causes.length === 1
      ? `no chain answers at ${only.url} (${tried}${only.cause === '' ? '' : `; ${only.cause}`})`
      : `no chain answers at any of ${causes.length} addresses (${tried}): ${causes.map(({ url, cause }) => `${url}: ${cause}`).join('; ')}`
  return new SubnetError({
    code: 'CHAIN_UNREACHABLE',
    message: `${what}; check that it runs and that --network names it`,
    details: { url: causes.map(({ url }) => url).join(' '), triedMs },
    retryable: true,
  })
}

/** Makes the error of an endpoint where a final block that we have seen has another hash. */
export const forked = (of: {
  readonly url: string
  readonly block: number
  readonly seen: string
  readonly found: string
}): SubnetError =>
  new SubnetError({
    code: 'CHAIN_FORK',
    message: `${of.url} is on another fork: final block ${of.block} is ${of.found} there, and was ${of.seen}; find out which chain is the right one, and name its addresses alone in --network`,
    details: of,
  })

/** Makes the error of an endpoint whose final blocks end before what we have seen. */
export const behind = (of: { readonly url: string; readonly final: number; readonly seen: number }): SubnetError =>
  new SubnetError({
    code: 'CHAIN_BEHIND',
    message: `${of.url} is behind: its last final block is ${of.final}, and block ${of.seen} was final already; wait until it has caught up, or name another address in --network`,
    details: of,
    retryable: true,
  })

/** Makes the error of an answer that does not fit its request. */
export const badAnswer = (what: string, found: unknown, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_ANSWER',
    message: `the chain node answered ${what}, which cannot be: ${(JSON.stringify(found) ?? 'nothing').slice(0, 120)}; try again, or use another chain node`,
    details: { what },
    cause,
    retryable: true,
  })

/** Makes the error of more requests than a connection takes. */
export const busy = (url: string, most: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_BUSY',
    message: `${most} requests to ${url} are unanswered; wait for some of them`,
    details: { url },
    retryable: true,
  })

/** Makes the error of a call that the chain did not answer in time. */
export const timedOut = (url: string, method: string, timeoutMs: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_TIMEOUT',
    message: `${url} did not answer ${method} within ${timeoutMs} ms; try again, or use a nearer or less busy chain node`,
    details: { url, method, timeoutMs },
    retryable: true,
  })

/** Makes the error of a request whose socket died before the answer came. */
export const connectionLost = (url: string, method: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_CONNECTION_LOST',
    message: `the connection to ${url} was lost before ${method} was answered; look whether it took effect before you repeat it`,
    details: { url, method },
    retryable: true,
  })

/** Makes the error of a client that was closed. */
export const closedError = (url: string): SubnetError =>
  new SubnetError({ code: 'CHAIN_CLOSED', message: `the client of ${url} is closed; connect again`, details: { url } })

/** Makes the error of a chain with another genesis than expected. */
export const otherGenesis = (url: string, expected: string, found: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_OTHER_GENESIS',
    message: `${url} is another chain: its genesis is ${found}, expected ${expected}; use the right --network, or remove the state kept for the old chain`,
    details: { url, expected, found },
  })

/** Makes the error that the chain node answered a request with. */
export const rpcError = (method: string, error: { code?: unknown; message?: unknown; data?: unknown }): SubnetError => {
  const data =
    error.data === undefined ? '' : `: ${typeof error.data === 'string' ? error.data : JSON.stringify(error.data)}`
  return new SubnetError({
    code: 'CHAIN_RPC',
    message: `the chain node refused ${method}: ${String(error.message)}${data} (${String(error.code)})`,
    details: {
      method,
      rpcCode: typeof error.code === 'number' ? error.code : 0,
      rpcMessage: String(error.message),
      rpcData:
        error.data === undefined ? null : typeof error.data === 'string' ? error.data : JSON.stringify(error.data),
    },
  })
}

/** Makes the error of a name that the chain's metadata does not have. */
export const noItem = (kind: string, name: string, specVersion: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_NO_ITEM',
    message: `the chain has no ${kind} ${name} at spec version ${specVersion}; it may be older or newer than this client expects`,
    details: { kind, name, specVersion },
  })

/** Makes the error of a subnet that does not exist. */
export const noSubnet = (netuid: number, at: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_NO_SUBNET',
    message: `subnet ${netuid} does not exist at block ${at}; see arbor subnet list`,
    details: { netuid, at },
  })
