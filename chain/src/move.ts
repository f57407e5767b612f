import { resolve } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { withStore } from './embedded/inspect.ts'
import { exportStore } from './embedded/portable/export.ts'
import { importFolder } from './embedded/portable/import.ts'

/** Flags of `arbor chain export`. */
export interface ExportOptions {
  readonly data: string
  readonly out: string
  readonly json?: boolean
}

/** Flags of `arbor chain import`. */
export interface ImportOptions {
  readonly data: string
  readonly in: string
  readonly json?: boolean
}

/** Writes a chain that does not run to a file. @throws CHAIN_FOLDER_IN_USE, CHAIN_NO_DATA, CHAIN_FILE */
export const exportChain = async (
  { stdout, cwd }: CommandContext,
  { data, out, json }: ExportOptions,
): Promise<void> => {
  const path = resolve(cwd, out)
  const done = await withStore(resolve(cwd, data), (store) => exportStore(store, path))
  const said = `wrote ${path}: ${done.bytes} bytes, the state of block ${done.base.number} (${done.keys} keys) and the blocks up to ${done.best.number}\n`
  stdout.write(json ? `${JSON.stringify({ ...done, file: path })}\n` : said)
}

/** Makes the folder of a chain from a file. @throws CHAIN_IMPORT_REFUSED, CHAIN_FOLDER_NOT_EMPTY, CHAIN_FILE */
export const importChain = async (
  { stdout, cwd }: CommandContext,
  { data, in: file, json }: ImportOptions,
): Promise<void> => {
  const folder = resolve(cwd, data)
  const head = await importFolder(resolve(cwd, file), folder)
  const said = `imported into ${folder}: best block ${head.best.number} (${head.best.hash}), final up to ${head.finalized}; run it with the settings it was made with\n`
  stdout.write(json ? `${JSON.stringify({ ...head, data: folder })}\n` : said)
}
