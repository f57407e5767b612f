import { SubnetError } from '@arbor/shared/errors'

/** Makes the error of a chain that cannot be reached; the client is dead afterwards. */
export const unreachable = (url: string, triedMs: number, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_UNREACHABLE',
    message: `no chain answers at ${url} (tried for ${Math.round(triedMs / 1000)} s${reason(cause)}); check that it runs and that --network names it`,
    details: { url, triedMs },
    cause,
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

const reason = (cause: unknown): string => (cause instanceof Error && cause.message !== '' ? `; ${cause.message}` : '')
