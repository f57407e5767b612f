import { once } from 'node:events'
import { createServer } from 'node:net'
import { SubnetError } from '@arbor/shared/errors'

/** Where a miner listens. */
interface Place {
  readonly ip: string
  readonly port: number
}

/**
 * Expects that a miner can listen there: asked before anything is loaded or written. Whoever takes it meanwhile is met again by `listen`.
 * @throws MINER_PORT_IN_USE, MINER_ADDRESS
 */
export const mustBeFree = async ({ ip, port }: Place): Promise<void> => {
  const probe = createServer()
  try {
    probe.listen(port, ip)
    await once(probe, 'listening')
  } catch (cause) {
    throw listenError({ ip, port, cause })
  }
  probe.close()
  await once(probe, 'close')
}

/** Makes the error of a place on which a miner cannot listen. */
export const listenError = ({
  ip,
  port,
  cause,
}: {
  readonly ip: string
  readonly port: number
  readonly cause: unknown
}): unknown => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE') {
    return new SubnetError({
      code: 'MINER_PORT_IN_USE',
      message: `Port ${port} on ${ip} is in use; choose another with --port, 0 takes a free one`,
      cause,
    })
  }
  const fix = code === 'EACCES' ? 'choose a port from 1024 on with --port' : 'give an address of this machine with --ip'
  return new SubnetError({
    code: 'MINER_ADDRESS',
    message: `Cannot listen on ${ip}:${port} (${String(code ?? cause)}); ${fix}`,
    cause,
  })
}
