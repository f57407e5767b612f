import { pointName } from './points.ts'

/** A write that moves a machine. */
export interface Move {
  readonly machine: 'weights' | 'rounds' | 'receipts'
  readonly from: string
  readonly to: string
}

/** Says which move a call of one of an object's methods makes; null for a call that makes none. */
export type MoveOf = (method: string, args: readonly unknown[]) => Move | null

/**
 * Stands before an object whose methods write, and reports each move immediately before its write and after it.
 * The object's own code is as it is: whoever reports never changes what is written.
 */
export const watched = <T extends object>(of: {
  readonly target: T
  readonly move: MoveOf
  readonly on: (point: string) => void
  /** Hears of each call, and whether it was done or threw. */
  readonly called?: (method: string, args: readonly unknown[], isDone: boolean) => void
}): T =>
  new Proxy(of.target, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || typeof name !== 'string') return value
      return (...args: unknown[]): unknown => {
        const move = of.move(name, args)
        if (move !== null) of.on(pointName({ ...move, when: 'before' }))
        let result: unknown
        try {
          result = value.apply(target, args)
        } catch (error) {
          of.called?.(name, args, false)
          throw error
        }
        of.called?.(name, args, true)
        if (move !== null) of.on(pointName({ ...move, when: 'after' }))
        return result
      }
    },
  })
