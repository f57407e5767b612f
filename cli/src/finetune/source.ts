import { join, resolve } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { openLogHttp } from '@arbor/validator/auditor/http'
import { readHistory } from '@arbor/validator/training/history'
import type { Command } from 'commander'
import { historySchema, type TrainingHistory } from './history.ts'

/** Where a run's history is read from: a validator's folder, or what it serves. */
export interface SourceOptions {
  readonly data: string
  readonly url?: string
}

/** The first validator of `npm start -- --subnet finetune`. */
const LOCAL = join('.arbor', 'up', 'validator-1')

/** Adds --data and --url. */
export const withSource = (command: Command): Command =>
  command
    .option('--data <folder>', "a validator's data folder", LOCAL)
    .option('--url <url>', 'where a validator serves its log, in place of a folder')

/**
 * Reads what a validator knows of the rounds so far.
 * @throws FINETUNE_HISTORY when it is none; AUDIT_* when the server gives no answer; STORE_* when the folder cannot be read
 */
export async function readSource(
  { data, url }: SourceOptions,
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<TrainingHistory> {
  return historyOf(
    url === undefined ? readHistory({ folder: resolve(cwd, data) }) : await ask(url, signal),
    url ?? data,
  )
}

const ask = async (url: string, signal: AbortSignal): Promise<unknown> => {
  const http = openLogHttp({ url, privateAllowed: true, clock: systemClock }) // whoever types the address knows it
  try {
    return JSON.parse(await http.get('training', signal)) as unknown
  } catch (cause) {
    if (cause instanceof SyntaxError) throw noHistory(url, 'it is no JSON', cause)
    throw cause
  } finally {
    await http.close()
  }
}

const historyOf = (value: unknown, place: string): TrainingHistory => {
  const { data, error } = historySchema.safeParse(value)
  if (data !== undefined) return data
  const [issue] = error.issues
  throw noHistory(place, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

const noHistory = (place: string, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'FINETUNE_HISTORY',
    message: `What ${place} gives is no history of a training subnet (${why}); name a validator of one with --data or --url`,
    cause,
  })
