import { join } from 'node:path'
import { hostPort } from '@arbor/chain/address'
import { createRecordKeeper, type RecordKeeper } from '@arbor/chain/client/committed-record'
import type { ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import type { Signer } from '@arbor/shared/signer'
import type { Loop } from '@arbor/shared/supervise'
import { encodeAnchor } from '@arbor/shared/tree-head'
import type { Hex, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Logger } from 'pino'
import type { ChainView } from '../chain-view.ts'
import type { Keep } from '../keep.ts'
import type { Ledger } from '../ledger.ts'
import type { Receipts } from '../receipts.ts'
import { readCommitted } from './anchor.ts'
import { checkInThread } from './check-all.ts'
import { runReceipts } from './loop.ts'
import type { PublishOptions } from './options.ts'
import { openLogServer } from './serve/open.ts'

export interface PublishDeps {
  readonly chain: Pick<ChainClient, 'genesisHash' | 'finalized' | 'read' | 'submit'>
  /** The hotkey's record; made here where nothing else in the process has a field in it. */
  readonly record?: RecordKeeper
  readonly ledger: Pick<Ledger, 'log' | 'scoreState' | 'servableEntries'>
  readonly receipts: Receipts
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: Pick<SubnetSpec, 'name' | 'version' | 'model'>
  /** The validator's data folder, with `ledger.sqlite` and the receipts. */
  readonly data: string
  readonly options: PublishOptions
  readonly clock: Clock
  readonly log: Logger
}

/** What tells others of a validator's log. */
export interface Publishing {
  /** Where it is served; null where it is not. */
  readonly url: string | null
  readonly loops: (of: { readonly keep: Keep; readonly view: ChainView }) => Readonly<Record<string, Loop>>
  close(): Promise<void>
}

/**
 * Begins the log where it has not begun, serves it where that is asked for, and makes the loop that signs and anchors it.
 * @throws LOG_ANCHOR_URL, LOG_EDITED, RELAY_PORT_IN_USE, RELAY_ADDRESS, LOG_SERVER_ENDED
 */
export const openPublishing = async (deps: PublishDeps): Promise<Publishing> => {
  const { chain, ledger, hotkey, netuid, data, options, log, record = createRecordKeeper(deps) } = deps
  const owner = { genesisHash: chain.genesisHash, netuid, hotkey: hotkey.address }
  const file = join(data, 'ledger.sqlite')
  await begin(deps)
  const server =
    options.serve === undefined ? null : await openLogServer({ file, data, owner, place: options.serve, log })
  const url = server === null ? (options.receiptsUrl ?? null) : urlOf(options, server.port)
  // One that is too long is told at once, not at the first anchor.
  encodeAnchor({ size: 0, root: `0x${'00'.repeat(32)}`, url: url ?? '' })
  if (server !== null) log.info({ event: 'receipts.serving', port: server.port, url }, `receipts are served at ${url}`)
  return {
    url,
    loops: ({ keep, view }) => ({
      receipts: (signal) =>
        runReceipts(
          {
            ...deps,
            record,
            view,
            keep,
            receipts: ledger.log,
            servable: ledger.servableEntries,
            forget: deps.receipts.forget,
            checkAll: (until) => checkInThread({ file, owner }, until),
            anchorAt: options.anchor ? (url ?? '') : null,
            keepEpochs: options.keepEpochs,
            keepEntries: options.keepEntries,
          },
          signal,
        ),
      ...(server === null ? {} : { serving: server.loop }),
    }),
    close: async () => server?.close(),
  }
}

/** Writes by what the log is to be read; and, where that is asked for, what of an earlier log was lost. */
async function begin({ chain, ledger, hotkey, netuid, spec, options }: PublishDeps): Promise<void> {
  const { genesisHash } = chain
  const { number: block, hash } = await chain.finalized()
  const lost = options.lostLog ? await lostOf({ chain, ledger, netuid, hotkey: hotkey.address, at: hash }) : null
  ledger.log.begin({
    terms: {
      genesisHash,
      netuid,
      hotkey: hotkey.address,
      spec: { name: spec.name, version: spec.version, model: spec.model.hash },
      block,
      ...(lost === null ? {} : { lost }),
    },
    state: ledger.scoreState,
  })
}

/** Reads what the chain holds of a log that this one does not contain. */
async function lostOf({
  ledger,
  ...whose
}: Parameters<typeof readCommitted>[0] & Pick<PublishDeps, 'ledger'>): Promise<{ size: number; root: Hex } | null> {
  const committed = await readCommitted(whose)
  if (committed.kind !== 'anchor') return null
  const { size, root } = committed.anchor
  return size <= ledger.log.extent().size && ledger.log.root(size) === root ? null : { size, root }
}

/** Writes where a log is reached that is served at a port; empty where that is not known. */
export const urlOf = (
  { receiptsUrl, serve, externalIp }: Pick<PublishOptions, 'receiptsUrl' | 'serve' | 'externalIp'>,
  port: number,
): string => {
  if (receiptsUrl !== undefined) return receiptsUrl
  const host = externalIp ?? serve?.host ?? ''
  // Whoever listens everywhere has not said where it is reached.
  return /^(0\.0\.0\.0|::|)$/.test(host) ? '' : `http://${hostPort({ ip: host, port })}`
}
