import { integerArgument } from '@arbor/chain/options'
import { MAX_ANCHOR_URL_BYTES } from '@arbor/shared/tree-head'
import { type Command, InvalidArgumentError } from 'commander'
import { listenArgument } from '../relay/options.ts'
import type { Place } from '../relay/server.ts'

/** What a validator's options say of its log. */
export interface PublishOptions {
  readonly serve?: Place
  readonly receiptsUrl?: string
  /** Address that the chain announces, shared with --listen. */
  readonly externalIp?: string
  readonly anchor: boolean
  readonly keepEpochs: number
  readonly keepEntries: number
  readonly lostLog?: boolean
}

/** 280 × 72 min = 14 days of Bittensor's epochs. */
export const KEPT_EPOCHS = 280
/** Some 700 MB: two weeks of 900 miners, or three days of 4 096. */
export const KEPT_ENTRIES = 2_000_000

/** Adds what concerns the log of receipts. */
export const withPublishing = (command: Command): Command =>
  command
    .option('--serve <[ip:]port>', 'serve the log of receipts there by HTTP (default: listen nowhere)', listenArgument)
    .option(
      '--receipts-url <url>',
      'where the log is reached, as the chain is told (default: made of --serve and --external-ip)',
      urlArgument,
    )
    .option('--no-anchor', "do not write the log's root to the chain once an epoch")
    .option(
      '--keep-epochs <n>',
      'epochs of which the log keeps its entries, not only their hashes',
      integerArgument(2, 1_000_000),
      KEPT_EPOCHS,
    )
    .option(
      '--keep-entries <n>',
      'entries that the log keeps at most, whatever their age',
      integerArgument(1_000, 1_000_000_000),
      KEPT_ENTRIES,
    )
    .option('--lost-log', 'begin a log anew although the chain holds a longer one, and say so in it')

const urlArgument = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '')
    throw new InvalidArgumentError(`"${text}" is no URL of http or https`)
  if (Buffer.byteLength(text) > MAX_ANCHOR_URL_BYTES)
    throw new InvalidArgumentError(`it has more than ${MAX_ANCHOR_URL_BYTES} bytes`)
  return text.replace(/\/$/, '')
}
