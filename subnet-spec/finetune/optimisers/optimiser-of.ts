import type { OptimiserOf } from '../types.ts'
import { demo } from './demo.ts'
import { diloco } from './diloco.ts'
import { sparseloco } from './sparseloco.ts'

/** Makes the optimiser that a spec's terms name. @throws SPEC_OPTIMISER when a setting is of no use */
export const optimiserOf: OptimiserOf = ({ terms, layout }) => {
  switch (terms.kind) {
    case 'diloco':
      return diloco(terms, layout)
    case 'sparseloco':
      return sparseloco(terms, layout)
    case 'demo':
      return demo(terms, layout)
  }
}
