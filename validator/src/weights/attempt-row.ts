import type { WeightRow } from '@arbor/chain/client/types'
import type { Block, Hex, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { Registration } from '../scores.ts'
import type { WeightAttempt, WeightMoveRow } from './attempt.ts'
import type { WeightMethod, WeightState } from './machine.ts'

/** A row of SQLite. */
type Stored = Readonly<Record<string, unknown>>

const textOrNull = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))
const blockOrNull = (value: unknown): Block | null =>
  value === null || value === undefined ? null : (Number(value) as Block)

/** Reads an attempt as it is stored. */
export const attemptOf = (r: Stored): WeightAttempt => ({
  id: Number(r.id),
  mechanism: Number(r.mechanism),
  method: String(r.method) as WeightMethod,
  row: JSON.parse(String(r.row)) as WeightRow,
  version: BigInt(String(r.version)),
  registrations: registrationsIn(String(r.registrations)),
  salt: r.salt === null ? null : (JSON.parse(String(r.salt)) as number[]),
  commitHash: textOrNull(r.commit_hash) as Hex | null,
  round: r.round === null ? null : BigInt(String(r.round)),
  state: String(r.state) as WeightState,
  computedAt: Number(r.computed_at) as Block,
  committedAt: blockOrNull(r.committed_at),
  opens:
    r.opens_from === null || r.opens_to === null
      ? null
      : { from: Number(r.opens_from) as Block, to: Number(r.opens_to) as Block },
  includedAt: blockOrNull(r.included_at),
  readBackAt: blockOrNull(r.read_back_at),
  sent:
    r.sent_hash === null
      ? null
      : {
          hash: String(r.sent_hash) as Hex,
          birth: Number(r.sent_birth) as Block,
          lastBlock: Number(r.sent_until) as Block,
        },
  inherited: r.inherited === null ? [] : (JSON.parse(String(r.inherited)) as Uid[]),
  error: textOrNull(r.error),
  at: Number(r.at) as UnixMs,
})

/** Reads a move as it is stored. */
export const moveOf = (r: Stored): WeightMoveRow => ({
  state: String(r.state) as WeightState,
  block: blockOrNull(r.block),
  extrinsic: textOrNull(r.extrinsic) as Hex | null,
  error: textOrNull(r.error),
  at: Number(r.at) as UnixMs,
})

/** Writes registrations. */
export const registrationsText = (registrations: readonly Registration[]): string =>
  JSON.stringify(registrations.map(({ uid, hotkey, registeredAt }) => [uid, hotkey, registeredAt]))

const registrationsIn = (text: string): readonly Registration[] =>
  (JSON.parse(text) as [number, string, number][]).map(([uid, hotkey, registeredAt]) => ({
    uid: uid as Uid,
    hotkey: hotkey as Ss58,
    registeredAt: registeredAt as Block,
  }))
