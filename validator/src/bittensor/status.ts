import type { Fault } from '../dendrite/answer.ts'

/** How an exchange ended, in the words of Bittensor's own client. */
export interface Status {
  /** The axon's own code, or one that stands for what happened here; null when the axon named none. */
  readonly statusCode: number | null
  readonly statusMessage: string | null
}

/** What an exchange was about, for its status. */
export interface StatusContext {
  readonly ip: string
  readonly port: number
  readonly synapse: string
  /** Seconds, as Python writes them. */
  readonly timeout: string
  /** True when the answer's head had come. */
  readonly begun: boolean
  readonly why: string
}

/** Tells the status of an exchange without a usable answer, as Bittensor's client makes it up; it is never on the wire. */
export function statusOfFault(fault: Fault | 'sockets', of: StatusContext): Status {
  switch (fault) {
    case 'timeout':
    case 'trickle':
      return { statusCode: 408, statusMessage: `Request timeout after ${of.timeout} seconds` }
    case 'address':
    case 'unreachable':
    case 'connect-refused':
    case 'connect-timeout':
      return { statusCode: 503, statusMessage: `Service unavailable at ${of.ip}:${of.port}/${of.synapse}` }
    case 'early-close':
    case 'stream-cut':
      return of.begun
        ? { statusCode: 400, statusMessage: `Payload error: ${of.why}` }
        : { statusCode: 503, statusMessage: `Service disconnected: ${of.why}` }
    case 'no-http':
      return { statusCode: 400, statusMessage: `Client response error: ${of.why}` }
    case 'sockets':
      return { statusCode: 500, statusMessage: `Client error: ${of.why}` }
    default:
      return { statusCode: 422, statusMessage: `Failed to parse response: ${of.why}` }
  }
}

/** Tells what an axon's refusal counts as. */
export function faultOfStatus(statusCode: number | null): Fault {
  if (statusCode === 429) return 'rate'
  if (statusCode === 503 || statusCode === 408) return 'busy' // no thread, or none in time
  if (statusCode === null) return 'malformed'
  return statusCode === 400 || statusCode === 422 ? 'rejected' : 'refused'
}
