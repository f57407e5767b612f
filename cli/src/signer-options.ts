import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type ChainCode, fixedChainCode, followChainCode } from '@arbor/chain/signer/chain-code'
import { type Policy, policyFor, ROLES, type Role, readPolicy } from '@arbor/chain/signer/policy'
import { keyAccess } from '@arbor/chain/wallet/access'
import { openHotkey } from '@arbor/chain/wallet/open'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import type { Logger, LogLevel } from '@arbor/shared/log'
import type { Hex, NetUid } from '@arbor/shared/units'
import { InvalidArgumentError } from 'commander'

/** What `arbor signer` is told. */
export interface SignerCommandOptions {
  readonly network: readonly string[]
  readonly wallets: string
  readonly wallet: string
  readonly hotkey: readonly string[]
  readonly passwordFile?: string
  readonly socket: string
  readonly tokenFile?: string
  readonly policy?: string
  readonly for?: Role
  readonly netuid: readonly NetUid[]
  readonly bittensor: boolean
  readonly metadata?: string
  readonly genesis?: Hex
  readonly json?: boolean
  readonly logLevel: LogLevel
}

/** Where the socket lies when nothing else is said. */
export const DEFAULT_SOCKET = join('.arbor', 'signer', 'signer.sock')

/** Reads or makes the policy. @throws SIGNER_POLICY, CONFIG_* */
export const policyOf = (options: SignerCommandOptions, cwd: string): Policy => {
  const { policy, for: role, netuid, bittensor } = options
  if ((policy === undefined) === (role === undefined))
    throw new SubnetError({
      code: 'SIGNER_POLICY',
      message: `The signer needs one policy; give --for ${ROLES.join(' or --for ')}, or a file with --policy`,
    })
  if (role !== undefined)
    return policyFor(role, { netuids: netuid.length === 0 ? [1] : netuid, speaksBittensor: bittensor })
  if (netuid.length > 0 || bittensor)
    throw new SubnetError({
      code: 'SIGNER_POLICY',
      message: 'A policy file names its own subnets and synapses; leave --netuid and --bittensor out beside --policy',
    })
  const path = resolve(cwd, policy ?? '')
  return readPolicy(readText(path, 'SIGNER_POLICY').toString('utf8'), path)
}

/** Opens the keys, one after the other, since each encrypted one takes 512 MiB for a moment. @throws as openHotkey */
export const openKeys = async (context: CommandContext, options: SignerCommandOptions): Promise<readonly Keypair[]> => {
  const access = keyAccess(context, options)
  const wallets = resolve(context.cwd, options.wallets)
  const keys: Keypair[] = []
  for (const hotkey of new Set(options.hotkey.length === 0 ? ['default'] : options.hotkey))
    keys.push(await openHotkey({ wallets, wallet: options.wallet, hotkey }, access))
  return keys
}

/** Opens the code by which calls are read: that of the chain, or of a file. @throws CHAIN_*, SIGNER_METADATA */
export const openCode = async (
  of: { readonly options: SignerCommandOptions; readonly cwd: string; readonly log: Logger },
  signal: AbortSignal,
): Promise<ChainCode> => {
  const { options, cwd, log } = of
  const { network, metadata, genesis } = options
  if (metadata === undefined)
    return followChainCode({ url: network, genesisHash: genesis ?? null, clock: systemClock, log, signal })
  if (genesis === undefined)
    throw new SubnetError({
      code: 'SIGNER_METADATA',
      message: 'With --metadata the signer asks no chain; say with --genesis which one it signs for',
    })
  const bytes = readText(resolve(cwd, metadata), 'SIGNER_METADATA')
  return fixedChainCode(Uint8Array.from(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes), genesis)
}

const readText = (path: string, code: 'SIGNER_POLICY' | 'SIGNER_METADATA'): Buffer => {
  try {
    return readFileSync(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const flag = code === 'SIGNER_POLICY' ? '--policy' : '--metadata'
    throw new SubnetError({ code, message: `${path} cannot be read: ${why}; name another file with ${flag}`, cause })
  }
}

/** Reads a block hash given on the command line. */
export const hashArgument = (text: string): Hex => {
  if (!isHex(text, 32)) throw new InvalidArgumentError('0x and 64 hexadecimal characters are due')
  return text.toLowerCase() as Hex
}
