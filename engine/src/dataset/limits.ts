/** What a dataset may be made of. Sizes are added up before anything is read. */
export interface DatasetLimits {
  /** Bytes of one document: it is read and tokenised whole, 1 to 3 s a MiB. */
  readonly documentBytes: number
  /** Bytes of all documents. */
  readonly totalBytes: number
  /** Files and folders that are looked at. */
  readonly entries: number
}

export const LIMITS: DatasetLimits = {
  documentBytes: 8 << 20, // 8 MiB
  totalBytes: 2 ** 29, // 512 MiB; a byte is one token at most, so the tokens stay below what is opened again
  entries: 200_000,
}

/** Bytes of a file of tokens that is opened: it is held in memory whole. */
export const MAX_TOKEN_BYTES = 2 ** 31 - 2 // the most that one read takes, and 1.07 G tokens

/** Tokens are written as 16 bits. */
export const MAX_VOCABULARY = 65_536

/** The files of a dataset's folder. */
export const CARD = 'card.json'
export const TRAIN = 'train.u16'
export const HELD_OUT = 'held-out.u16'
