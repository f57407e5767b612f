import type { Overlay } from '../../state/overlay.ts'
import type { Allocator } from '../allocator.ts'
import type { GuestMemory } from '../memory.ts'
import type { Signed } from '../signature.ts'

/** 1 error, 2 warn, 3 info, 4 debug, 5 trace; as a limit, 0 is off. @source sp_core::LogLevelFilter */
export type RuntimeLogLevel = 1 | 2 | 3 | 4 | 5
export type RuntimeLog = (line: {
  readonly level: RuntimeLogLevel
  readonly target: string
  readonly message: string
}) => void

/** What the host functions of an instance work on. */
export interface HostContext {
  readonly memory: GuestMemory
  readonly allocator: Allocator
  /** Changes from call to call. */
  readonly storage: Overlay
  /** Lines above this level are not made. */
  readonly logLevel: number
  readonly log: RuntimeLog
  readonly verify: (signed: Signed) => boolean
  /** Asks another runtime blob for its version; undefined when it has none. */
  readonly versionOf: (blob: Uint8Array) => Uint8Array | undefined
}

/** A function that the runtime imports; spans are u64, so they arrive as bigint. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions of WebAssembly have no result or a number
export type HostFunction = (...args: never[]) => number | bigint | void
export type HostFunctions = Readonly<Record<string, HostFunction>>
