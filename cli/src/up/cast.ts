import { ATTACK_NAMES } from '@arbor/engine/attacks/list'
import { SubnetError } from '@arbor/shared/errors'
import { TRAINING_ATTACK_NAMES } from '@arbor/subnet-spec/finetune/attacks/list'

/** What the command line says of the miners; what it leaves out follows from the subnet. */
export interface CastOptions {
  readonly miners?: number
  readonly cheats?: number
  /** Attacks by name; true for all that there are. */
  readonly zoo?: true | readonly string[]
}

/** The miners of a local net. */
export interface Cast {
  readonly honest: number
  /** Attacks, one for each miner that cheats. */
  readonly cheats: readonly string[]
  /** Whether attacks were asked for by name. */
  readonly zoo: boolean
}

/** What stands for cheating where nobody names an attack, and in which order. */
const USUAL = {
  answering: { honest: 3, cheats: 1, names: ['int8'] },
  training: { honest: 4, cheats: 3, names: ['zeros', 'random-data', 'copy', 'half-work', 'scaled', 'sign-flip'] },
} as const

/**
 * Decides who runs in a local net.
 * @throws UP_ATTACK_UNSUITED for an attack on answers where miners train, and the other way round
 */
export function castOf(options: CastOptions, trains: boolean): Cast {
  const usual = trains ? USUAL.training : USUAL.answering
  const known = trains ? TRAINING_ATTACK_NAMES : ATTACK_NAMES
  const named = options.zoo === undefined ? [] : options.zoo === true ? known : options.zoo
  const unsuited = named.find((name) => !known.includes(name))
  if (unsuited !== undefined) throw unsuitedAttack(unsuited, known)
  const others = options.cheats ?? (named.length === 0 ? usual.cheats : 0)
  const cheats = Array.from({ length: others }, (_, index) => usual.names[index % usual.names.length] ?? usual.names[0])
  return { honest: options.miners ?? usual.honest, cheats: [...cheats, ...named], zoo: named.length > 0 }
}

const unsuitedAttack = (name: string, known: readonly string[]): SubnetError =>
  new SubnetError({
    code: 'UP_ATTACK_UNSUITED',
    message: `The attack "${name}" does not suit this subnet's miners; those that do are ${known.join(', ')}`,
    details: { name },
  })
