/** A document to answer with. */
export interface Document {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Makes a JSON document. */
export const jsonDocument = (status: number, value: unknown): Document => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
})
