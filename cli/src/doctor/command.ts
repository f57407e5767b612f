import { isIP } from 'node:net'
import { hostPort } from '@arbor/chain/address'
import { integerArgument, netuidArgument, withJson, withNetwork, withWallet } from '@arbor/chain/options'
import { withSigner } from '@arbor/chain/signer/flags'
import { readHotkeyPub } from '@arbor/chain/wallet/open'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { netUid, type Ss58 } from '@arbor/shared/units'
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { withChain } from '../chain.ts'
import { print } from '../output.ts'
import type { Diagnosis } from './diagnose.ts'
import { examine, type NetOptions, signerOf } from './examine.ts'
import { findingSchema } from './finding.ts'

/** What `arbor doctor net` prints with --json. */
export const netSchema = z.object({
  netuid: z.number(),
  hotkey: z.string(),
  /** "address:port" that was judged; null when nothing is announced. */
  announced: z.string().nullable(),
  reachable: z.boolean(),
  /** Whether somebody else reached it; otherwise it was tried from this machine only. */
  provenFromOutside: z.boolean(),
  findings: z.array(findingSchema),
})

/** Makes `arbor doctor`: says what is wrong and what mends it. */
export function doctorCommand(context: CommandContext): Command {
  const net = withSigner(withJson(withNetwork(withWallet(new Command('net'), context))))
    .description("say whether a miner's announced address can be reached, and what mends it when not")
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--port <n>', 'the port on which the miner listens here', integerArgument(1, 65_535), 8_091)
    .option('--external-ip <address>', 'judge this address instead of the announced one', address)
    .option('--external-port <n>', 'judge this port instead of the announced one', integerArgument(1, 65_535))
    .option('--from <url>', 'let this relay, or validator that listens, dial back; may be given again', url, [])
    .action((options: NetOptions) => checkNet(context, options))
  return new Command('doctor').description('find out what is wrong, and what mends it').addCommand(net)
}

async function checkNet(context: CommandContext, options: NetOptions): Promise<void> {
  const sign = signerOf(context, options)
  // A missing key is told before any connection; only what is asked outside takes the key itself.
  const { address: hotkey } = options.signer === undefined ? readHotkeyPub(options) : await sign()
  const { netuid } = options
  const { known, diagnosis } = await withChain(context, options.network, (chain) =>
    examine({ context, chain, options, hotkey, sign }),
  )
  const { reachable, isProven, findings } = diagnosis
  const announced = known.announced === null ? null : hostPort(known.announced)
  const value = { netuid, hotkey, announced, reachable, provenFromOutside: isProven, findings: [...findings] }
  print(context, { json: options.json, schema: netSchema, value, lines: linesOf(diagnosis, { hotkey, announced }) })
  if (reachable) return
  const worst = findings.find(({ level }) => level === 'bad')
  throw new SubnetError({
    code: 'NET_UNREACHABLE',
    message: `validators cannot reach ${announced ?? 'the miner'}: ${worst?.message ?? 'it was not seen to answer'}${worst?.remedies[0] === undefined ? '' : `; ${worst.remedies[0]}`}`,
    details: { hotkey, announced },
  })
}

const MARKS = { ok: 'ok   ', warn: 'note ', bad: 'wrong' } as const

/** Writes the diagnosis for a person. */
const linesOf = (
  { reachable, isProven, findings }: Diagnosis,
  { hotkey, announced }: { readonly hotkey: Ss58; readonly announced: string | null },
): readonly string[] => [
  `hotkey ${hotkey}, announced at ${announced ?? 'no address'}`,
  ...findings.flatMap(({ level, step, message, remedies }) => [
    `${MARKS[level]}  ${step}: ${message}`,
    ...remedies.map((remedy) => `         → ${remedy}`),
  ]),
  reachable
    ? `It can be reached${isProven ? ', as seen from outside.' : ' from this machine; from outside it was not tried (--from).'}`
    : 'It cannot be reached as it is.',
]

const address = (text: string): string => {
  if (isIP(text) === 0) throw new InvalidArgumentError('an IPv4 or IPv6 address is due, no name')
  return text
}

const url = (text: string, before: readonly URL[]): readonly URL[] => {
  const parsed = URL.parse(text)
  if (parsed === null || !/^(https?|wss?):$/.test(parsed.protocol))
    throw new InvalidArgumentError(`"${text}" is no URL of a relay, as http://192.0.2.1:9100`)
  return [...before, parsed]
}
