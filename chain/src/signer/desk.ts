import type { Keypair } from '@arbor/shared/keypair'
import type { Logger } from '@arbor/shared/log'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Ss58 } from '@arbor/shared/units'
import type { Counts } from './counts.ts'
import type { Judge } from './judge.ts'
import type { Answered, Asked } from './messages.ts'
import { forbid, type SignKind } from './rules.ts'

/** Answers one request after another, whoever brings them: decides, signs, counts, and writes one line on each. */
export type Desk = (asked: Asked, signal: AbortSignal) => Promise<Answered>

export const createDesk = (of: {
  readonly keys: readonly Keypair[]
  readonly judge: Judge
  readonly counts: Counts
  readonly status: () => object
  readonly log: Logger
}): Desk => {
  const { judge, counts, log } = of
  const keys = new Map(of.keys.map((key) => [key.address, key]))
  const refuse = (
    id: number,
    { rule, why }: Pick<ReturnType<typeof forbid>, 'rule' | 'why'>,
    about: object,
  ): Answered => {
    counts.refused[rule] = (counts.refused[rule] ?? 0) + 1
    log.warn({ event: 'signer.refused', ...about, rule, why }, 'refused to sign')
    return { is: 'refused', id, rule, why }
  }
  const sign = async (asked: Extract<Asked, { is: 'sign' }>, signal: AbortSignal): Promise<Answered> => {
    const { id, kind, bytes } = asked
    const hotkey: Ss58 = encodeSs58(asked.publicKey)
    const key = keys.get(hotkey)
    if (key === undefined) return refuse(id, forbid('hotkey', 'the signer does not hold this key'), { kind, hotkey })
    const judged = await judge({ kind, hotkey, bytes }, signal)
    if (!judged.ok) return refuse(id, judged, judged.about)
    const signature = key.sign(judged.message)
    counts.signed[kind satisfies SignKind] += 1
    log.info({ event: 'signer.signed', ...judged.about }, 'signed')
    return { is: 'signature', id, signature }
  }
  return async (asked, signal) => {
    if (asked.is === 'keys') return { is: 'keys', id: asked.id, publicKeys: of.keys.map(({ publicKey }) => publicKey) }
    if (asked.is === 'status') return { is: 'status', id: asked.id, json: JSON.stringify(of.status()) }
    return sign(asked, signal)
  }
}
