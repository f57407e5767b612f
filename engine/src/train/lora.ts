import type { Layout } from '@arbor/shared/training'
import type { Lora } from './card.ts'
import { tensorUnfit } from './errors.ts'

/** Adds scale × A × B to each adapted matrix, in a fixed order and double precision; gives new parameters of the whole model. */
export const mergeLora = (of: {
  readonly lora: Lora
  /** Of the factors, and of the model. */
  readonly layout: Layout
  readonly base: Layout
  readonly factors: Float32Array
  readonly params: Float32Array
}): Float32Array => {
  const { lora, layout, base, factors } = of
  const merged = of.params.slice()
  for (const narrow of layout.tensors.filter(({ name }) => name.endsWith('.lora_A'))) {
    const part = narrow.name.slice(0, -'.lora_A'.length)
    const wide = layout.tensors.find(({ name }) => name === `${part}.lora_B`)
    const place = base.tensors.find(({ name }) => name === `${part}.weight`)
    const [rows = 0, rank = 0] = narrow.shape
    const columns = wide?.shape[1] ?? 0
    if (
      wide === undefined ||
      place === undefined ||
      place.length !== rows * columns ||
      wide.length !== rank * columns
    ) {
      throw tensorUnfit(part, 'does not fit its factors')
    }
    const a = factors.subarray(narrow.offset, narrow.offset + narrow.length)
    const b = factors.subarray(wide.offset, wide.offset + wide.length)
    const weight = merged.subarray(place.offset, place.offset + place.length)
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        let sum = 0
        for (let k = 0; k < rank; k += 1) sum += (a[row * rank + k] as number) * (b[k * columns + column] as number)
        const at = row * columns + column
        weight[at] = (weight[at] as number) + lora.scale * sum
      }
    }
  }
  return merged
}
