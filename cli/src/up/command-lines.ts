import { join } from 'node:path'
import type { NetUid } from '@arbor/shared/units'
import { cheatOf, type Member } from './roster.ts'

/** Where a local net lives. */
export interface NetPaths {
  readonly data: string
  readonly wallets: string
}

/** The command line of the chain process; the port is whichever is free. */
export const chainArgs = ({
  paths,
  blockTime,
}: {
  readonly paths: NetPaths
  readonly blockTime: string
}): readonly string[] => [
  'chain',
  'run',
  '--dev',
  '--json',
  '--port',
  '0',
  '--data',
  join(paths.data, 'chain'),
  '--block-time',
  blockTime,
]

/** The command line of a miner or validator: a cheat differs from an honest miner in the name of its attack only. */
export function memberArgs({
  member,
  paths,
  url,
  netuid,
  spec,
  model,
}: {
  readonly member: Member
  readonly paths: NetPaths
  readonly url: string
  readonly netuid: NetUid
  readonly spec: string
  /** Path of the model folder. */
  readonly model: string
}): readonly string[] {
  const common = [
    '--network',
    url,
    '--netuid',
    String(netuid),
    '--wallets',
    paths.wallets,
    '--wallet',
    member.name,
    '--spec',
    spec,
  ]
  const data = ['--data', join(paths.data, member.name)]
  const folder = ['--model', model]
  // Its receipts can be audited while the net runs: arbor audit --network URL --validator HOTKEY
  if (member.role === 'validator') return ['validator', ...common, ...data, ...folder, '--serve', '127.0.0.1:0']
  const cheat = cheatOf(member)
  const attack = cheat === null ? [] : ['--cheat', cheat]
  return ['miner', ...common, ...data, ...folder, '--ip', member.ip ?? '', '--port', '0', ...attack]
}
