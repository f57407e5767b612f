import { SubnetError } from './errors.ts'

declare const unit: unique symbol
type Branded<T, U extends string> = T & { readonly [unit]: U }

/** Subnet id; 0 is root. u16. */
export type NetUid = Branded<number, 'NetUid'>
/** Slot of a neuron in its subnet; reused after deregistration, so never persist it without its hotkey. u16. */
export type Uid = Branded<number, 'Uid'>
/** Position of a block in the chain. */
export type Block = Branded<number, 'Block'>
/** A number of blocks. */
export type Blocks = Branded<number, 'Blocks'>
/** A span of time in milliseconds. */
export type Ms = Branded<number, 'Ms'>
/** A moment: milliseconds since the Unix epoch. */
export type UnixMs = Branded<number, 'UnixMs'>
/** An amount of TAO in rao; 1 TAO = 10⁹ rao. */
export type Rao = Branded<bigint, 'Rao'>
/** An amount of a subnet's token in its smallest unit (10⁻⁹ alpha); never added to rao. */
export type Alpha = Branded<bigint, 'Alpha'>
/** An account in SS58 with prefix 42. */
export type Ss58 = Branded<string, 'Ss58'>
/** 0x-prefixed lower-case hexadecimal. */
export type Hex = `0x${string}`

/** Reads a checked u16 as a subnet id. @throws UNIT_RANGE when it is no u16 */
export const netUid = (value: number): NetUid => u16(value, 'netuid') as NetUid
/** Reads a checked u16 as a uid. @throws UNIT_RANGE when it is no u16 */
export const uid = (value: number): Uid => u16(value, 'uid') as Uid

const u16 = (value: number, name: string): number => {
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new SubnetError({ code: 'UNIT_RANGE', message: `${name} ${value} is not an integer in 0..65535` })
  }
  return value
}
