import type { ApiOptions } from '@polkadot/api/types'
import type { RpcSocket } from './socket-types.ts'

type ProviderInterface = NonNullable<ApiOptions['provider']>

/**
 * Lends our connection to @polkadot/api for metadata and codecs only. It says that it has no subscriptions, so that the
 * library starts no timers, keeps no caches of heads and never reconnects by itself: all that is ours.
 */
export function codecProvider(socket: RpcSocket): ProviderInterface {
  const none = (): Promise<never> => Promise.reject(new Error('subscriptions do not go through the codec'))
  return {
    hasSubscriptions: false,
    isClonable: false,
    isConnected: true,
    clone: () => codecProvider(socket),
    connect: async () => {},
    disconnect: async () => {},
    on: () => () => {},
    send: <T>(method: string, params: unknown[]) => socket.request(method, params) as Promise<T>,
    subscribe: none,
    unsubscribe: async () => true,
  }
}
