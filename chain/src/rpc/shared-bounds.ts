import type { RpcLimits } from './limits.ts'

/** What all connections of a server share. */
export interface SharedBounds {
  /** Takes a place for a subscription; false when none is left. */
  takeSubscription(): boolean
  giveSubscription(): void
  /** Counts characters on their way out. @returns whether all of them still fit; `sent` takes them off again */
  sending(characters: number): boolean
  sent(characters: number): void
  /** Counts bytes of requests from their arrival. @returns whether all of them still fit; `answered` takes them off again */
  receiving(bytes: number): boolean
  answered(bytes: number): void
}

/** Creates the bounds of a server, with nothing taken. */
export const createSharedBounds = (
  limits: Pick<RpcLimits, 'subscriptions' | 'totalBufferedBytes' | 'totalRequestBytes'>,
): SharedBounds => {
  let subscriptions = 0
  let unanswered = 0
  let unsent = 0
  return {
    takeSubscription: () => {
      if (subscriptions >= limits.subscriptions) return false
      subscriptions += 1
      return true
    },
    giveSubscription: () => {
      subscriptions -= 1
    },
    sending: (characters) => {
      unsent += characters
      return unsent <= limits.totalBufferedBytes
    },
    sent: (characters) => {
      unsent -= characters
    },
    receiving: (bytes) => {
      unanswered += bytes
      return unanswered <= limits.totalRequestBytes
    },
    answered: (bytes) => {
      unanswered -= bytes
    },
  }
}
