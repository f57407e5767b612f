import type { DispatchError, EventRecord } from '@polkadot/types/interfaces'
import { stringCamelCase } from '@polkadot/util'
import { reader } from '../../chain/src/embedded/scale.ts'
import { ALICE, createSigner, type TestChain } from '../../chain/test/support/embedded.ts'

/** Errors of calls that exist for their names only. */
const REFUSAL = /NotSupported$/

/**
 * Makes every call of a pallet with zeros for arguments, signed and by root, and tells which are refused whatever they ask.
 * @param on a new development chain that makes blocks on demand
 * @returns name of the call to name of its error
 */
export async function refusedCalls({ chain, source }: TestChain, pallet: string): Promise<ReadonlyMap<string, string>> {
  const { tx, registry, query, sign } = createSigner(chain)
  const section = stringCamelCase(pallet)
  const eventsKey = reader(query['system']?.['events']?.() ?? new Uint8Array()).vec()
  let nonce = 0

  /** Errors that the extrinsic of a block met, by their names. */
  const errors = (): readonly string[] => {
    const bytes = chain.state(chain.best().hash).get(eventsKey)
    const records = registry.createTypeUnsafe<EventRecord & Iterable<EventRecord>>('Vec<FrameSystemEventRecord>', [
      bytes,
    ])
    return [...records].flatMap(({ event }) =>
      event.data
        .map((value) => value as unknown as { readonly isErr?: boolean; readonly asErr: DispatchError })
        .map((value) => (value.isErr ? value.asErr : (value as unknown as DispatchError)))
        .filter((error) => error.isModule)
        .map((error) => registry.findMetaError(error.asModule).name),
    )
  }
  const attempt = async (name: string, ...args: unknown[]): Promise<readonly string[]> => {
    source.offer(sign(ALICE, nonce, ...(name.split('.') as [string, string]), ...args))
    const { extrinsics } = await chain.produce()
    if (extrinsics.length < 2) return [] // not even a block takes it
    nonce += 1
    return errors()
  }
  const refused = new Map<string, string>()
  for (const [method, call] of Object.entries(tx[section] ?? {})) {
    const zeros = call.meta.args.map(({ type }) => registry.createType(type.toString() as never))
    const met = [...(await attempt(`${section}.${method}`, ...zeros)), ...(await attempt('sudo.sudo', call(...zeros)))]
    const refusal = met.find((error) => REFUSAL.test(error))
    if (refusal !== undefined) refused.set(call.meta.name.toString(), refusal)
  }
  return refused
}
