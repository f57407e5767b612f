import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import type { LogEntry } from '../../src/log/entry.ts'
import {
  neuron,
  type Outcome,
  type Served,
  serveEntries,
  TEMPO,
  type ToldChain,
  toldChain,
  VALIDATOR,
  type WrittenLog,
  writeLog,
} from './written.ts'

export const spec: SubnetSpec = await loadSpec('inference')
export const miners = ['//M1', '//M2', '//M3'].map((uri) => keypairFromUri(uri).address)
export const [honest, cheat, slow] = miners as [Ss58, Ss58, Ss58]

export const OUTCOMES: Readonly<Record<Ss58, Outcome>> = {
  [honest]: { reason: 'ok', value: 1 },
  [cheat]: { reason: 'fingerprint', value: 0 },
  [slow]: { reason: 'ok', value: 0.5 },
}

export interface Scene {
  readonly chain: ToldChain
  readonly log: WrittenLog
}

/** A validator that ran four epochs, two rounds in each, and set a row in each. */
export function scene(
  outcome: (hotkey: Ss58, at: number) => Outcome | null = (hotkey) => OUTCOMES[hotkey] ?? null,
): Scene {
  const chain = toldChain((block) => [
    neuron(0, VALIDATOR.address, {
      axon: null,
      validatorPermit: true,
      lastUpdate: (block - (block % TEMPO) - 4) as Block,
    }),
    ...miners.map((hotkey, index) => neuron(index + 1, hotkey)),
  ])
  const log = writeLog({ chain, spec, signer: VALIDATOR })
  log.begin(1)
  for (let epoch = 1; epoch <= 4; epoch += 1) {
    const first = epoch * TEMPO
    log.round({ at: first, outcome: (hotkey) => outcome(hotkey, first) })
    log.begin(first + 4)
    log.round({ at: first + 10, outcome: (hotkey) => outcome(hotkey, first + 10) })
    log.row({ at: first + 14, includedAt: first + 15 })
  }
  chain.head = 5 * TEMPO + 5
  return { chain, log }
}

export const serve = (entries: readonly (LogEntry | string)[]): Served =>
  serveEntries(entries, { signer: VALIDATOR, block: 100 })
