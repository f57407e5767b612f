/**
 * Reads a .dockerignore into a test of paths.
 * @returns tells whether a path of the build context, relative and with slashes, stays out of it
 * @throws on patterns with `!`, `?` or classes, which nothing here needs
 */
export function readIgnore(text: string): (path: string) => boolean {
  const patterns = text
    .split('\n')
    .map((line) => line.trim().replace(/^\/|\/$/g, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(toPattern)
  return (path) => patterns.some((pattern) => pattern.test(path))
}

/** A pattern also holds for everything below what it names; `**` crosses folders, `*` does not. */
function toPattern(line: string): RegExp {
  if (/[!?[\]\\]/.test(line)) throw new Error(`.dockerignore says "${line}", which the rehearsal cannot read`)
  const body = line
    .split('/')
    .map((part) => (part === '**' ? '(?:.*/)?' : `${part.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}/`))
    .join('')
    .replace(/\/$/, '')
  return new RegExp(`^${body}(?:/|$)`)
}
