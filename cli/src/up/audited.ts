import type { ChainClient } from '@arbor/chain/client/types'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms, NetUid, Ss58 } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import { audit, verdictOf } from '@arbor/validator/auditor/audit'
import type { Shown } from '@arbor/validator/auditor/findings'
import { openLogHttp } from '@arbor/validator/auditor/http'
import { openServedLog } from '@arbor/validator/auditor/served-log'
import type { Member } from './roster.ts'

/** What an audit of a validator's row came to, from what it serves and from the chain. */
export interface RowAudit {
  readonly epoch: number
  readonly equal: boolean
  readonly row: readonly (readonly [number, number])[] | null
  readonly recomputed: readonly (readonly [number, number])[] | null
  /** The first mismatch, or why there was no audit. */
  readonly firstMismatch: Shown
}

/** A validator signs what it wrote two seconds later at most, and anchors once an epoch: time for both, and for a busy machine. */
const WITHIN_MS = 20_000 as Ms
const AGAIN_MS = 1_000 as Ms

/** Recomputes the rows that a net's validators had in force at the end of an epoch. */
export async function auditRows(of: {
  readonly chain: ChainClient
  readonly netuid: NetUid
  /** Specifier of the subnet spec. */
  readonly spec: string
  readonly members: readonly Member[]
  readonly epoch: number
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<ReadonlyMap<Ss58, RowAudit>> {
  const spec = await loadSpec(of.spec)
  const validators = of.members.filter(({ role }) => role === 'validator')
  const late = new Error('the audits took too long')
  using deadline = startDeadline({ clock: of.clock, ms: WITHIN_MS, parent: of.signal, reason: () => late })
  const audited = new Map<Ss58, RowAudit>()
  for (const { hotkey } of validators) {
    for (;;) {
      const found = await once({ ...of, spec, validator: hotkey, signal: deadline.signal })
      of.signal.throwIfAborted()
      audited.set(hotkey, found)
      if (found.equal || deadline.signal.aborted) break
      await of.clock.sleep(AGAIN_MS, deadline.signal).catch(() => undefined)
    }
  }
  return audited
}

async function once(
  of: Omit<Parameters<typeof auditRows>[0], 'spec'> & {
    readonly spec: Awaited<ReturnType<typeof loadSpec>>
    readonly validator: Ss58
  },
): Promise<RowAudit> {
  const { chain, netuid, spec, validator, epoch, clock, signal } = of
  const opened: ReturnType<typeof openLogHttp>[] = []
  const open = (url: string) => {
    const http = openLogHttp({ url, privateAllowed: true, clock })
    opened.push(http)
    return openServedLog(http)
  }
  try {
    const found = await audit({ chain, netuid, spec, open }, { validator, epoch }, signal)
    const { held: row, recomputed, mismatch } = found
    const firstMismatch = mismatch === null ? null : { ...mismatch }
    return { epoch, equal: verdictOf(found) === 'equal', row, recomputed, firstMismatch }
  } catch (error) {
    const why = error instanceof SubnetError ? `${error.code}: ${error.message}` : String(error)
    return { epoch, equal: false, row: null, recomputed: null, firstMismatch: why }
  } finally {
    await Promise.allSettled(opened.map((http) => http.close()))
  }
}
