/** A matrix of weights, row by row, that is altered in place. */
export interface Matrix {
  readonly values: Float32Array
  readonly rows: number
  readonly columns: number
  /** Which axis the inputs of the multiplication run along: the rows of x·W, the columns of x·Wᵀ. */
  readonly inputs: 'rows' | 'columns'
}

/** Weights that share a scale in 4-bit formats. */
const BLOCK = 32
/** Learning rate of the optimiser step below: what small models are fine-tuned with. */
const LEARNING_RATE = 1e-4

/** Reads and writes the weights of one output as a sequence over its inputs. */
const eachOutput = (matrix: Matrix, visit: (at: (input: number) => number, inputs: number) => void): void => {
  const { rows, columns, inputs } = matrix
  const [outputs, length] = inputs === 'rows' ? [columns, rows] : [rows, columns]
  for (let output = 0; output < outputs; output++) {
    visit(inputs === 'rows' ? (input) => input * columns + output : (input) => output * columns + input, length)
  }
}

/** Rounds to 8 bits with one scale for each output: scale = largest magnitude / 127. */
export const roundToInt8 = (matrix: Matrix): void => {
  const { values } = matrix
  eachOutput(matrix, (at, inputs) => {
    let largest = 0
    for (let input = 0; input < inputs; input++) largest = Math.max(largest, Math.abs(values[at(input)] ?? 0))
    const scale = largest / 127
    if (scale === 0) return
    for (let input = 0; input < inputs; input++)
      values[at(input)] = Math.round((values[at(input)] ?? 0) / scale) * scale
  })
}

/**
 * Rounds to 4 bits with one scale for each 32 inputs of an output: the value of largest magnitude becomes −8.
 * @source llama.cpp, quantize_row_q4_0_ref
 */
export const roundToInt4 = (matrix: Matrix): void => {
  const { values } = matrix
  eachOutput(matrix, (at, inputs) => {
    for (let start = 0; start < inputs; start += BLOCK) {
      const end = Math.min(inputs, start + BLOCK)
      let extreme = 0
      for (let input = start; input < end; input++) {
        const value = values[at(input)] ?? 0
        if (Math.abs(value) > Math.abs(extreme)) extreme = value
      }
      const scale = extreme / -8
      if (scale === 0) continue
      for (let input = start; input < end; input++) {
        const level = Math.max(-8, Math.min(7, Math.round((values[at(input)] ?? 0) / scale)))
        values[at(input)] = level * scale
      }
    }
  })
}

/**
 * Moves every weight by the learning rate, up or down as a seed says: what the first step of Adam does, which moves each weight by
 * its rate whatever the gradient's size.
 * @param seed not zero
 */
export const stepOnce = ({ values }: Matrix, seed: number): void => {
  let state = seed
  for (let index = 0; index < values.length; index++) {
    // xorshift32, Marsaglia 2003
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    values[index] = (values[index] ?? 0) + (state < 0 ? -LEARNING_RATE : LEARNING_RATE)
  }
}

/** Leaves nothing: what a matrix adds to the residual stream is then zero. */
export const zero = ({ values }: Matrix): void => void values.fill(0)
