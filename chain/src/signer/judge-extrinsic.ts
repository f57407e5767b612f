import { SubnetError } from '@arbor/shared/errors'
import { sameBytes } from '@arbor/shared/protocol/canonical'
import type { Rao } from '@arbor/shared/units'
import type { Runtime } from '../client/runtime.ts'
import { messageOf } from '../client/sign.ts'
import { knownCall } from './calls.ts'
import type { About, JudgeDeps, SignRequest } from './judge.ts'
import { argumentNames, callOf, carriesCalls, type ReadPayload, readPayload } from './payload.ts'
import { type Forbidden, forbid } from './rules.ts'

type Verdict = { readonly more: Partial<About> } & ({ readonly ok: true; readonly message: Uint8Array } | Forbidden)

/** Decides about an extrinsic by the code that the chain runs at this moment; what it spends is written down at once. */
export const judgeExtrinsic = async (
  deps: JudgeDeps,
  { hotkey, bytes }: SignRequest,
  signal: AbortSignal,
): Promise<Verdict> => {
  const runtime = await runtimeOf(deps, signal)
  if ('rule' in runtime) return { ...runtime, more: {} }
  const begun = mayBegin(deps, runtime, bytes)
  const call = callOf(runtime, bytes)?.name
  const named = call === undefined ? {} : { call }
  if (begun !== null) return { ...begun, more: named }
  const payload = readPayload(runtime, bytes)
  if (!payload.ok) return { ...payload, more: named }
  const { read } = payload
  const netuids = netuidsOf(read)
  const rao = costOf(read)
  const more = { ...named, ...(netuids === null ? {} : { netuids }), ...(rao ? { rao: rao.toString() } : {}) }
  const forbidden = judgeRead(deps, runtime, { read, netuids, rao })
  if (forbidden !== null) return { ...forbidden, more }
  const { ok, spent } = deps.spending.take(hotkey, rao ?? (0n as Rao))
  if (!ok) return { ...forbid('spend', `${rao} rao beside ${spent} spent pass what the policy allows`), more }
  return { ok: true, message: messageOf(bytes), more }
}

const runtimeOf = async ({ code }: JudgeDeps, signal: AbortSignal): Promise<Runtime | Forbidden> => {
  try {
    return await code.runtime(signal)
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    return forbid('metadata', `the chain does not tell its code: ${error.code}`)
  }
}

/** Judges by the call's number alone, before anything of it is read: the rest of a call that is not allowed is not worth it. */
const mayBegin = ({ policy }: JudgeDeps, runtime: Runtime, bytes: Uint8Array): Forbidden | null => {
  const found = callOf(runtime, bytes)
  if (found === null) return forbid('bytes', 'the payload does not begin with a call of this chain')
  const { name, build } = found
  if (carriesCalls(build)) return forbid('nested', `${name} carries other calls`)
  const known = knownCall(name)
  if (known === null || policy.extrinsics?.calls.includes(name) !== true)
    return forbid('call', `the policy does not allow ${name}`)
  const names = argumentNames(build)
  if (names.length === known.args.length && names.every((name, index) => name === known.args[index])) return null
  return forbid(
    'arguments',
    `${name} takes ${names.join(', ')} on this chain, and the signer knows ${known.args.join(', ')}`,
  )
}

const judgeRead = (
  { policy, code }: JudgeDeps,
  runtime: Runtime,
  of: { readonly read: ReadPayload; readonly netuids: readonly number[] | null; readonly rao: Rao | null },
): Forbidden | null => {
  const { read, netuids, rao } = of
  const { genesisHash, specVersion, transactionVersion, eraBlocks, tip, call } = read
  if (genesisHash === null || !sameBytes(genesisHash, code.genesisHash))
    return forbid('chain', 'the payload is for another chain')
  if (specVersion !== runtime.specVersion || transactionVersion !== runtime.transactionVersion)
    return forbid('version', `the payload is for spec version ${specVersion}, the chain runs ${runtime.specVersion}`)
  const { maxEraBlocks = 0 } = policy.extrinsics ?? {}
  if (eraBlocks === null) return forbid('era', 'the payload would be valid for ever')
  if (eraBlocks > maxEraBlocks)
    return forbid('era', `the payload would be valid for ${eraBlocks} blocks, and the policy allows ${maxEraBlocks}`)
  if (tip !== 0n) return forbid('tip', `the payload gives a tip of ${tip} rao`)
  if (netuids === null || rao === null)
    return forbid('arguments', `${call} has other arguments on this chain than the signer knows`)
  const other = netuids.find((netuid) => !policy.netuids.includes(netuid))
  return other === undefined ? null : forbid('netuid', `the policy does not name subnet ${other}`)
}

/** The subnets that a call names; null when one of them is no number. */
const netuidsOf = ({ call, args }: ReadPayload): readonly number[] | null => {
  const found = (knownCall(call)?.netuids ?? []).map((name) => args[name])
  return found.every((netuid) => typeof netuid === 'bigint') ? found.map(Number) : null
}

/** What a call can cost at most; null when that is no number. */
const costOf = ({ call, args }: ReadPayload): Rao | null => {
  const cost = knownCall(call)?.cost ?? null
  if (cost === null) return 0n as Rao
  const rao = args[cost]
  return typeof rao === 'bigint' ? (rao as Rao) : null
}
