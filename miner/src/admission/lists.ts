import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import { isSs58 } from '@arbor/shared/ss58'
import type { Loop } from '@arbor/shared/supervise'
import type { Ms, Ss58 } from '@arbor/shared/units'

/** Hotkeys that are served, or not, beyond what the chain says of them. */
export interface CallerLists {
  /** False for a denied hotkey, and for one that an allow list leaves out. A deny wins; an allow replaces no permit. */
  admits(hotkey: Ss58): boolean
}

/** Lists in files, which may change while the miner runs. */
export interface FollowedLists extends CallerLists {
  /** Reads a file again when it has changed; what cannot be read leaves the list as it was. */
  readonly follow: Loop
}

/** How soon a changed file is seen. */
const LOOK_EVERY_MS = 2_000 as Ms
/** Ten times what a subnet's 256 neurons take, with a comment each. */
const MAX_BYTES = 1 << 20

interface List {
  readonly hotkeys: ReadonlySet<Ss58>
  /** null for a list that was given in words. */
  readonly file: string | null
  /** Changes whenever the file does. */
  readonly stamp: string
}

/**
 * Opens the lists that a miner was given.
 * @param of.allow file with one hotkey a line, or hotkeys with commas between; absent: everybody
 * @param of.deny the same; absent: nobody
 * @throws MINER_LIST when a list cannot be read or holds something else than hotkeys
 */
export const openLists = (of: {
  readonly allow?: string | undefined
  readonly deny?: string | undefined
  readonly cwd: string
  readonly clock: Clock
  readonly log: Logger
}): FollowedLists => {
  const lists: Partial<Record<'allow' | 'deny', List>> = {}
  if (of.allow !== undefined) lists.allow = openList(of.allow, of.cwd)
  if (of.deny !== undefined) lists.deny = openList(of.deny, of.cwd)
  const look = (name: 'allow' | 'deny'): void => {
    const list = lists[name]
    if (list === undefined || list.file === null) return
    const stamp = stampOf(list.file)
    if (stamp === list.stamp) return
    try {
      lists[name] = readList(list.file)
      of.log.info({ event: 'miner.list', list: name, hotkeys: lists[name]?.hotkeys.size }, 'list read again')
    } catch (error) {
      lists[name] = { ...list, stamp } // told once, not at every look
      of.log.warn({ event: 'miner.list_kept', list: name, error: String(error) }, 'the list stays as it was')
    }
  }
  return {
    admits: (hotkey) => lists.deny?.hotkeys.has(hotkey) !== true && lists.allow?.hotkeys.has(hotkey) !== false,
    follow: async (signal) => {
      for (;;) {
        await of.clock.sleep(LOOK_EVERY_MS, signal)
        look('allow')
        look('deny')
      }
    },
  }
}

const openList = (given: string, cwd: string): List => {
  const words = given.split(',').map((word) => word.trim())
  if (words.every(isSs58)) return { hotkeys: new Set(words), file: null, stamp: '' }
  return readList(resolve(cwd, given))
}

const readList = (file: string): List => {
  const stamp = stampOf(file)
  const text = readText(file)
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim())
  const hotkeys = new Set<Ss58>()
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    if (!isSs58(line))
      throw unusable(file, `line ${index + 1} is no hotkey; write one SS58 address a line, and comments after #`)
    hotkeys.add(line)
  }
  return { hotkeys, file, stamp }
}

const readText = (file: string): string => {
  try {
    if (statSync(file).size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unusable(
      file,
      `${cause instanceof Error ? cause.message : String(cause)}; give a file, or hotkeys with commas between`,
    )
  }
}

const stampOf = (file: string): string => {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? 'absent' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`
}

const unusable = (file: string, why: string): SubnetError =>
  new SubnetError({ code: 'MINER_LIST', message: `The list ${file} cannot be used: ${why}`, details: { file } })
