import { optionVec } from '../../scale.ts'
import type { Span } from '../memory.ts'
import type { HostContext, HostFunctions, RuntimeLogLevel } from './context.ts'

/** Heap, logging, printing, versions of other runtimes. @source sp_io::{allocator, logging, misc, panic_handler} */
export const miscFunctions = ({ memory, allocator, log, logLevel, versionOf }: HostContext): HostFunctions => {
  const print = (message: string): void => log({ level: 4, target: 'print', message })
  return {
    ext_allocator_malloc_version_1: (size: number) => allocator.allocate(size),
    ext_allocator_free_version_1: (pointer: number) => allocator.free(pointer),
    ext_logging_max_level_version_1: () => logLevel,
    ext_logging_log_version_1: (level: number, target: Span, message: Span) =>
      log({ level: asLevel(level), target: memory.text(target), message: memory.text(message) }),
    ext_panic_handler_abort_on_panic_version_1: (message: Span) => {
      log({ level: 1, target: 'runtime', message: memory.text(message) })
      throw new WebAssembly.RuntimeError('panic')
    },
    ext_misc_print_num_version_1: (value: bigint) => print(String(BigInt.asUintN(64, value))),
    ext_misc_print_utf8_version_1: (text: Span) => print(memory.text(text)),
    ext_misc_print_hex_version_1: (bytes: Span) => print(Buffer.from(memory.view(bytes)).toString('hex')),
    ext_misc_runtime_version_version_1: (blob: Span) => memory.write(optionVec(versionOf(memory.copy(blob)))),
  }
}

/** The runtime counts from 0 (error) to 4 (trace). @source sp_core::RuntimeInterfaceLogLevel */
const asLevel = (level: number): RuntimeLogLevel => {
  const ours = level + 1
  return ours === 1 || ours === 2 || ours === 3 || ours === 4 ? ours : 5
}
