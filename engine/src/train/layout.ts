import type { Layout } from '@arbor/shared/training'
import type { HeldTensor } from './card.ts'

/** Lays tensors one behind the other. */
export const layoutOf = (tensors: readonly HeldTensor[]): Layout => {
  let offset = 0
  const places = tensors.map(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1)
    const place = { name, shape, offset, length }
    offset += length
    return place
  })
  return { tensors: places, size: offset }
}
