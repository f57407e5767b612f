import { SubnetError } from '@arbor/shared/errors'
import { cache } from './kinds/cache.ts'
import { end } from './kinds/end.ts'
import { fineTune } from './kinds/fine-tune.ts'
import { greedy } from './kinds/greedy.ts'
import { int4 } from './kinds/int4.ts'
import { int8 } from './kinds/int8.ts'
import { int8Tokens } from './kinds/int8-tokens.ts'
import { pad } from './kinds/pad.ts'
import { prompt } from './kinds/prompt.ts'
import { promptCut } from './kinds/prompt-cut.ts'
import { random } from './kinds/random.ts'
import { replace } from './kinds/replace.ts'
import { replay } from './kinds/replay.ts'
import { seed } from './kinds/seed.ts'
import { sibling } from './kinds/sibling.ts'
import { siblingTokens } from './kinds/sibling-tokens.ts'
import { skip } from './kinds/skip.ts'
import { stolen } from './kinds/stolen.ts'
import { temperature } from './kinds/temperature.ts'
import { truncate } from './kinds/truncate.ts'
import { twoFaced } from './kinds/two-faced.ts'
import type { AttackModule } from './types.ts'

/** Every attack: cheaper weights, another question, another draw, other tokens, another proof. */
export const ATTACKS: readonly AttackModule[] = [
  int8,
  int4,
  sibling,
  skip,
  fineTune,
  prompt,
  promptCut,
  temperature,
  greedy,
  seed,
  replace,
  truncate,
  pad,
  end,
  int8Tokens,
  siblingTokens,
  replay,
  random,
  stolen,
  cache,
  twoFaced,
]

/** Their names, in the same order. */
export const ATTACK_NAMES: readonly string[] = ATTACKS.map(({ name }) => name)

/**
 * Finds an attack by its name.
 * @throws ATTACK_UNKNOWN
 */
export const attackOf = (name: string): AttackModule => {
  const found = ATTACKS.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new SubnetError({
    code: 'ATTACK_UNKNOWN',
    message: `There is no attack ${name}; name one of ${ATTACK_NAMES.join(', ')}`,
    details: { name },
  })
}
