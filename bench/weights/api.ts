import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { compact, type Reader, reader, u32le, vec } from '../../chain/src/embedded/scale.ts'

/** A size of a benchmark, named by one letter, and its bounds. */
export interface Component {
  readonly name: string
  readonly low: number
  readonly high: number
}

/** A benchmark that a runtime has. */
export interface Benchmark {
  /** Crate of its pallet, such as pallet_subtensor. */
  readonly pallet: string
  /** Name of its pallet in the runtime. */
  readonly instance: string
  readonly name: string
  readonly components: readonly Component[]
}

/** What one execution took. */
export interface Sample {
  readonly sizes: Readonly<Record<string, number>>
  readonly ns: number
  readonly reads: number
  readonly writes: number
}

const parameterName = (index: number): string => String.fromCharCode(97 + index) // a, b, c …
const parameterIndex = (name: string): number => name.charCodeAt(0) - 97
const listOf = <T>(source: Reader, read: (source: Reader) => T): readonly T[] =>
  Array.from({ length: source.compact() }, () => read(source))

/** Decodes the answer of Benchmark_benchmark_metadata, without its storage keys. */
export const readMetadata = (encoded: Uint8Array): readonly Benchmark[] =>
  listOf(reader(encoded), (source) => {
    const pallet = source.text()
    const instance = source.text()
    return listOf(source, () => {
      const name = source.text()
      const components = listOf(source, () => ({
        name: parameterName(source.u8()),
        low: source.u32(),
        high: source.u32(),
      }))
      listOf(source, () => [source.vec(), source.vec()]) // proof modes
      return { pallet, instance, name, components }
    })
  }).flat()

/** Encodes the argument of Benchmark_dispatch_benchmark. @param repeats executions within one call */
export const writeConfig = (
  { pallet, instance, name }: Benchmark,
  sizes: Readonly<Record<string, number>>,
  { repeats, verify }: { readonly repeats: number; readonly verify: boolean },
): Uint8Array => {
  const selected = Object.entries(sizes)
  return concatBytes(
    ...[pallet, instance, name].map((text) => vec(toBytes(text))),
    compact(selected.length),
    ...selected.flatMap(([component, size]) => [Uint8Array.of(parameterIndex(component)), u32le(size)]),
    Uint8Array.of(Number(verify)),
    u32le(repeats),
  )
}

/** Decodes the answer of Benchmark_dispatch_benchmark. @throws Error with the runtime's reason */
export const readSamples = (encoded: Uint8Array): readonly Sample[] => {
  const source = reader(encoded)
  if (source.u8() !== 0) throw new Error(source.text())
  return listOf(source, () => {
    source.vec() // pallet
    source.vec() // instance
    source.vec() // benchmark
    return listOf(source, readSample)
  }).flat()
}

const readSample = (source: Reader): Sample => {
  const sizes = Object.fromEntries(listOf(source, () => [parameterName(source.u8()), source.u32()] as const))
  const ns = Number(source.u64())
  source.u64() // high half
  source.bytes(16) // storage root
  const reads = source.u32()
  source.u32() // repeated reads
  const writes = source.u32()
  source.bytes(4 + 4) // repeated writes, proof size
  listOf(source, () => [source.vec(), source.bytes(4 + 4 + 1)]) // keys
  return { sizes, ns, reads, writes }
}
