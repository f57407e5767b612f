import type { Component } from './api.ts'
import type { Fit } from './fit.ts'

/** What a benchmark came to. */
export interface Measured {
  readonly name: string
  readonly components: readonly Component[]
  /** Nanoseconds of CPU time. */
  readonly time: Fit
  /** Distinct keys. */
  readonly reads: Fit
  readonly writes: Fit
  /** Fastest and slowest execution at the largest sizes, in microseconds. */
  readonly spreadUs: readonly [number, number]
}

/** What stands above the weights. */
export interface Origin {
  readonly machine: string
  readonly date: string
  readonly node: string
  readonly blob: string
  readonly executions: number
}

/** Writes the weights of a pallet as Rust: the trait, the measured weights, and the same for tests. */
export const renderWeights = (pallet: string, measured: readonly Measured[], origin: Origin): string => {
  const sorted = [...measured].sort((a, b) => (a.name < b.name ? -1 : 1))
  const signatures = sorted.map((item) => `    fn ${item.name}(${parameters(item, '')}) -> Weight;`)
  const implementation = (dbWeight: string): string => sorted.map((item) => method(item, dbWeight)).join('\n')
  return `//! Weights of ${pallet}, measured. Made by \`node bench/weights.ts\`; do not edit.
//!
//! ${origin.date}, ${origin.machine}, Node ${origin.node}, blob ${origin.blob}.
//!
//! The runtime ran in V8, as in the embedded chain: each benchmark of \`benchmarking.rs\` at up to six sizes of each of
//! its components with the others at their largest, ${origin.executions} executions each. Time is that of the clock or the thread's CPU
//! time, whichever is less; its median at each size is fitted by least squares as a base and a slope for each component,
//! in picoseconds. Reads and writes are distinct keys, priced by the runtime's \`DbWeight\`: that of RocksDB on an SSD,
//! 25 µs a read and 100 µs a write, which the embedded chain stays far below.
//!
//! To do it again:
//!
//! \`\`\`text
//! chain/build-runtime.sh --benchmarks FOLDER
//! node bench/weights.ts --blob FOLDER/arbor_runtime.wasm && (cd chain && cargo fmt)
//! \`\`\`
#![allow(clippy::unnecessary_cast)]

use core::marker::PhantomData;
use polkadot_sdk::{
    frame_support::{
        traits::Get,
        weights::{constants::RocksDbWeight, Weight},
    },
    frame_system,
};

/// What each call and hook costs at most; a call's lists are counted in items.
pub trait WeightInfo {
${signatures.join('\n')}
}

/// The measured weights, with the storage costs of the runtime.
pub struct MeasuredWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for MeasuredWeight<T> {
${implementation('T::DbWeight::get()')}}

/// The measured weights, for tests.
impl WeightInfo for () {
${implementation('RocksDbWeight::get()')}}
`
}

const parameters = ({ components, time, reads, writes }: Measured, unused: string): string =>
  components
    .map(({ name }) => {
      const used = [time, reads, writes].some(({ slopes }) => rounded(slopes[name] ?? 0) > 0)
      return `${used ? '' : unused}${name}: u32`
    })
    .join(', ')

const method = (item: Measured, dbWeight: string): string => {
  const { components, time, reads, writes, spreadUs } = item
  const slope = (name: string, perItem: string): string =>
    `            .saturating_add(${perItem}.saturating_mul(u64::from(${name})))`
  const picoseconds = (ns: number): number => Math.ceil(ns * 1_000)
  const access = (kind: 'reads' | 'writes', { base, slopes }: Fit): readonly string[] => [
    ...(whole(base) > 0 ? [`            .saturating_add(${dbWeight}.${kind}(${whole(base)}))`] : []),
    ...components.flatMap(({ name }) => {
      const each = rounded(slopes[name] ?? 0)
      if (each === 0) return []
      return [`            .saturating_add(${dbWeight}.${kind}(${perItem(each, name)}))`]
    }),
  ]
  const lines = [
    `        Weight::from_parts(${digits(picoseconds(time.base))}, 0)`,
    ...components.flatMap(({ name }) => {
      const each = picoseconds(time.slopes[name] ?? 0)
      return each > 0 ? [slope(name, `Weight::from_parts(${digits(each)}, 0)`)] : []
    }),
    ...access('reads', reads),
    ...access('writes', writes),
  ]
  const sizes = components.map(({ name, low, high }) => `${name} in ${low}..=${high}`).join(', ')
  const took = `Took ${digits(Math.round(spreadUs[0]))} to ${digits(Math.round(spreadUs[1]))} µs at the largest size${sizes === '' ? '' : `; ${sizes}`}.`
  return `    // ${took}
    fn ${item.name}(${parameters(item, '_')}) -> Weight {
${lines.join('\n')}
    }
`
}

/** Rounds a count up, but for what the fit's arithmetic adds. */
const whole = (count: number): number => Math.ceil(count - 1e-3)

/** Rounds a count to thousandths, upward. */
const rounded = (count: number): number => Math.ceil(count * 1_000 - 1e-3) / 1_000

/** Writes a count per item in integers: as a fraction of thousandths where it is none. */
const perItem = (each: number, name: string): string => {
  if (Number.isInteger(each))
    return each === 1 ? `u64::from(${name})` : `${digits(each)}_u64.saturating_mul(u64::from(${name}))`
  return `${digits(Math.ceil(each * 1_000))}_u64.saturating_mul(u64::from(${name})).div_ceil(1_000)`
}

const digits = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '_')
