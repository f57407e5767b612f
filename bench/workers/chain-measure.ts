import type { Hex } from '@arbor/shared/units'
import type { EmbeddedChain } from '../../chain/src/embedded/types.ts'
import { ALICE, BOB, createSigner } from '../../chain/test/support/embedded.ts'
import { measureSubnet } from './chain-subnet.ts'

/** One figure of one run. */
export interface Measured {
  readonly what: string
  readonly unit: string
  readonly value: number
}

/** What both arms can do. */
export interface Arm {
  readonly genesisHash: Hex
  /** Makes a block of these extrinsics. @returns how many it holds besides the inherent */
  block(extrinsics: readonly Uint8Array[]): Promise<number>
  call(method: string, args: Uint8Array): Promise<Uint8Array>
}

/** CPU time of the whole process, and the time on the wall. */
export interface Cost {
  readonly cpuMs: number
  readonly wallMs: number
}

/** Encodes and signs a call from the metadata that the arm serves. */
export type Sign = ReturnType<typeof createSigner>['sign']

const BLOCKS = { warmUp: 5, measured: 15 }
const CALLS = { warmUp: 5, measured: 25 }
const MANY = 500

/**
 * Measures an arm that has just answered its first call.
 * @param started CPU and wall milliseconds from the start of the process until that answer
 */
export async function measure(arm: Arm, started: Cost): Promise<void> {
  const measured: Measured[] = []
  const add = (what: string, { cpuMs, wallMs }: Cost): void => {
    measured.push({ what, unit: 'CPU ms', value: cpuMs }, { what, unit: 'wall ms', value: wallMs })
  }
  add('start of the process until the runtime answers', started)
  const sign = await signerOf(arm)
  let nonce = 0
  const transfer = (): Uint8Array => sign(ALICE, nonce++, 'balances', 'transferKeepAlive', BOB.address, 1_000_000n)
  const blockOf = async (extrinsics: readonly Uint8Array[]): Promise<void> => {
    const held = await arm.block(extrinsics)
    if (held !== extrinsics.length) throw new Error(`a block holds ${held} of ${extrinsics.length} extrinsics`)
  }
  const singles = Array.from({ length: BLOCKS.warmUp + BLOCKS.measured }, transfer)
  const many = Array.from({ length: MANY }, transfer)
  add('empty block', await repeated(BLOCKS, () => blockOf([])))
  add('block with one signed transfer', await repeated(BLOCKS, (index) => blockOf(singles.slice(index, index + 1))))
  add(`block with ${MANY} signed transfers`, await repeated({ warmUp: 0, measured: 1 }, () => blockOf(many)))
  add('call: Core_version', await repeated(CALLS, () => arm.call('Core_version', new Uint8Array())))
  const metagraph = (): Promise<Uint8Array> => arm.call('SubnetInfoRuntimeApi_get_metagraph', Uint8Array.of(1, 0))
  if ((await metagraph()).length < 100) throw new Error('the metagraph is empty')
  add('call: metagraph of subnet 1', await repeated(CALLS, metagraph))
  const cost = (run: () => Promise<unknown>): Promise<Cost> => repeated({ warmUp: 0, measured: 1 }, run)
  await measureSubnet({ arm, sign, blockOf, cost, add })
  console.log(JSON.stringify(measured))
}

/** CPU and wall milliseconds of one of many. */
async function repeated(
  { warmUp, measured }: { readonly warmUp: number; readonly measured: number },
  run: (index: number) => Promise<unknown>,
): Promise<Cost> {
  for (let index = 0; index < warmUp; index += 1) await run(index)
  const [cpu, wall] = [process.cpuUsage(), performance.now()]
  for (let index = 0; index < measured; index += 1) await run(warmUp + index)
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMs: (user + system) / 1_000 / measured, wallMs: (performance.now() - wall) / measured }
}

/** Encodes as a client of this chain would. */
async function signerOf({ genesisHash, call }: Arm): Promise<Sign> {
  const answers = new Map<string, Uint8Array>()
  for (const method of ['Metadata_metadata', 'Core_version']) answers.set(method, await call(method, new Uint8Array()))
  const chain = {
    genesisHash,
    best: () => ({ hash: genesisHash }),
    call: (method: string) => answers.get(method),
  } as unknown as EmbeddedChain
  return createSigner(chain).sign
}
