/** Addresses with what may be a key in them: user, path and query are left out. */
const ADDRESS = /\b((?:wss?|https?):\/\/)(?:[^\s/@"'<>]*@)?([^\s/?#"'<>]+)[^\s"'<>]*/g

/** Takes out of a line what may be a secret: endpoints are often paid for, with a key in their path. */
export const withoutSecrets = (text: string): string =>
  text.replaceAll(ADDRESS, '$1$2').replaceAll(/\b0x[0-9a-f]{64,}\b/gi, (hex) => `${hex.slice(0, 10)}…`)
