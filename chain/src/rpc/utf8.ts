const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes a message; null when it is no UTF-8, since to guess would answer what nobody asked. */
export const decodeUtf8 = (data: Buffer | ArrayBuffer | readonly Buffer[]): string | null => {
  try {
    return decoder.decode(Array.isArray(data) ? Buffer.concat(data) : (data as Buffer | ArrayBuffer))
  } catch {
    return null
  }
}
