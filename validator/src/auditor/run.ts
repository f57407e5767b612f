import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ChainConnection } from '@arbor/chain/client/connect'
import { lockFolder } from '@arbor/chain/folder-lock'
import type { Clock } from '@arbor/shared/clock'
import type { Signer } from '@arbor/shared/signer'
import type { NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Logger } from 'pino'
import { followChain } from '../chain-loop.ts'
import { mustNotBeAhead } from '../checks.ts'
import { readLink, readLog } from '../health/readings.ts'
import { openLedger } from '../ledger.ts'
import type { PublishOptions } from '../log/options.ts'
import { openPublishing } from '../log/publish.ts'
import { noReceipts } from '../receipts.ts'
import { staleRule } from '../stale.ts'
import type { Supervised } from '../supervised.ts'
import { runWeights } from '../weights/loop.ts'
import type { AuditDeps } from './audit.ts'
import { followSources } from './follow-sources.ts'
import { openLogHttp } from './http.ts'
import { auditedRows } from './row-source.ts'
import { openSeenHeads } from './seen-heads.ts'
import { openServedLog } from './served-log.ts'

interface Work {
  readonly chain: ChainConnection
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly data: string
  readonly log: Logger
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly options: PublishOptions & {
    readonly sources: readonly Ss58[]
    readonly acceptLost: readonly Ss58[]
    readonly mechanism: number
    readonly staleBlocks?: number
  }
  readonly supervision: Supervised
  readonly privateAllowed: boolean
}

/** Opens what an auditor holds, follows other validators' logs and sets weights by them until the signal. */
export async function runAuditor(work: Work): Promise<void> {
  const { chain, hotkey, netuid, spec, data, log, clock, signal, options, supervision } = work
  mkdirSync(data, { recursive: true, mode: 0o700 })
  using _held = lockFolder({ file: join(data, 'lock.sqlite'), what: 'an auditor' })
  const owner = { genesisHash: chain.genesisHash, netuid, hotkey: hotkey.address }
  const file = join(data, 'ledger.sqlite')
  using ledger = openLedger({ file, owner })
  mustNotBeAhead(ledger.lastIncluded(options.mechanism), (await chain.finalized()).number, data)
  const { keep } = supervision
  const shared = { chain, ledger, hotkey, netuid, spec, keep, clock, log }
  const publishing = await openPublishing({ ...shared, receipts: noReceipts, data, options })
  try {
    const stale = await staleRule(chain, options.staleBlocks)
    const { view, sight, loop } = followChain({ ...shared, hotkey: hotkey.address, stale, memory: ledger })
    const seen = openSeenHeads({ file: join(data, 'heads.json'), forget: options.acceptLost })
    const { sources: chosen, acceptLost, mechanism } = options
    const followed = followSources({
      ...shared,
      view,
      self: hotkey.address,
      chosen,
      acceptLost,
      seen,
      within: withinOne(work),
    })
    const source = auditedRows({ ...followed, terms: spec, isStateDue: ledger.log.isStateDue, log })
    const version = BigInt(spec.version)
    const weights = { ...shared, view, mechanism, version, source, random: randomBytes }
    log.info({ event: 'auditor.ready', ...owner, spec: spec.name, version: spec.version }, 'auditor ready')
    await supervision.run({
      loops: {
        chain: loop,
        sources: followed.loop,
        weights: (until) => runWeights(weights, until),
        ...publishing.loops({ keep, view }),
      },
      signal,
      sight,
      included: () => ({ mechanism, block: ledger.lastIncluded(mechanism) }),
      queues: () => ({ asking: 0, scoring: 0, auditing: 0 }),
      link: () => readLink(chain.link()),
      receipts: () => readLog(ledger.log, file),
    })
  } finally {
    await publishing.close()
  }
}

/** Opens the logs of one audit, and closes them with it. */
const withinOne =
  ({ chain, netuid, spec, clock, privateAllowed }: Work) =>
  async <T>(body: (deps: AuditDeps) => Promise<T>): Promise<T> => {
    const opened: ReturnType<typeof openLogHttp>[] = []
    try {
      return await body({
        chain,
        netuid,
        spec,
        open: (url) => {
          const http = openLogHttp({ url, privateAllowed, clock })
          opened.push(http)
          return openServedLog(http)
        },
      })
    } finally {
      await Promise.allSettled(opened.map((http) => http.close()))
    }
  }
