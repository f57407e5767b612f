import { SubnetError } from '@arbor/shared/errors'
import type { HostContext, HostFunction, HostFunctions } from './context.ts'
import { cryptoFunctions } from './crypto.ts'
import { hashingFunctions } from './hashing.ts'
import { miscFunctions } from './misc.ts'
import { offchainFunctions } from './offchain.ts'
import { storageFunctions } from './storage.ts'
import { trieFunctions } from './trie.ts'

/** Gathers the functions that a runtime imports; what this host does not have refuses when it is called. */
export const hostFunctions = (context: HostContext, imports: readonly string[]): HostFunctions => {
  const known: HostFunctions = {
    ...storageFunctions(context),
    ...hashingFunctions(context),
    ...cryptoFunctions(context),
    ...trieFunctions(context),
    ...miscFunctions(context),
    ...offchainFunctions(),
  }
  return Object.fromEntries(imports.map((name) => [name, known[name] ?? refuse(name)]))
}

const refuse =
  (name: string): HostFunction =>
  () => {
    throw new SubnetError({
      code: 'CHAIN_HOST_REFUSED',
      message: `The runtime called ${name}, which the embedded chain does not have; use a runtime without it, or a Substrate node`,
      details: { function: name },
    })
  }
