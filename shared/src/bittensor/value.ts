/**
 * A value as Python holds it: a bigint is an int, a number is a float, a map is a dict in order of insertion. So `1` and `1.0`,
 * and the keys "10" and "9" in this order, stay what they were.
 */
export type PyValue = null | boolean | bigint | number | string | readonly PyValue[] | PyDict | PyTuple | PyEnum

/** Keys are text, or integers where the type says so. */
export type PyDict = ReadonlyMap<string | bigint, PyValue>

/** A tuple, which Python prints in round brackets. */
export class PyTuple {
  readonly items: readonly PyValue[]
  constructor(items: readonly PyValue[]) {
    this.items = items
  }
}

/** A member of an enum of strings, which Python prints by its name. */
export class PyEnum {
  /** For example `Color.RED`. */
  readonly name: string
  readonly value: string
  constructor(name: string, value: string) {
    this.name = name
    this.value = value
  }
}

/** Fields of an object by name, in order of declaration. */
export type PyFields = ReadonlyMap<string, PyValue>

/** Narrows a value to a list; `Array.isArray` alone does not see read-only ones. */
export const isList = (value: PyValue): value is readonly PyValue[] => Array.isArray(value)
/** Narrows a value to a dict. */
export const isDict = (value: PyValue): value is PyDict => value instanceof Map
