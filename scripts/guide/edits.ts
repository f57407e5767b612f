/** One change that a guide asks for. */
export interface Edit {
  /** From the root of the checkout. */
  readonly file: string
  /** Where the text goes: after an item that begins with a line, instead of that line, or into a file of its own. */
  readonly place: 'after' | 'instead of' | 'new file'
  /** The line, without its indentation; empty for a new file. */
  readonly line: string
  readonly text: string
}

/** Reads what a page asks to change: "In `FILE`, after `LINE`:" or "In the new file `FILE`:", and a block of Rust. */
export const editsOf = (page: string): readonly Edit[] =>
  [
    ...page.matchAll(
      /[Ii]n\s+(the\s+new\s+file\s+)?`([^`]+)`(?:,\s+(after|instead\s+of)\s+`([^`]+)`)?:\n\n```rust\n([\s\S]*?)```/g,
    ),
  ].map(([, fresh, file = '', place = '', line = '', text = '']) => ({
    file,
    place: fresh === undefined ? (place.startsWith('after') ? 'after' : 'instead of') : 'new file',
    line,
    text,
  }))

/**
 * Makes one change in a file.
 * @param source the file; undefined where there is none
 * @throws Error when the line is not there exactly once, or the file is not as the guide says
 */
export function applyEdit(source: string | undefined, { file, place, line, text }: Edit): string {
  if (place === 'new file') {
    if (source !== undefined) throw new Error(`${file} exists already`)
    return text
  }
  const lines = (source ?? '').split('\n')
  const found = lines.flatMap((candidate, index) => (isLine(candidate, line) ? [index] : []))
  const [at] = found
  if (at === undefined || found.length > 1) throw new Error(`${file} has "${line}" ${found.length} times`)
  const from = place === 'after' ? endOf(lines, at) + 1 : at
  return [...lines.slice(0, from), text.replace(/\n$/, ''), ...lines.slice(place === 'after' ? from : at + 1)].join(
    '\n',
  )
}

const isLine = (candidate: string, line: string): boolean => {
  const text = candidate.trim()
  return text === line || (/\w$/.test(line) && text.startsWith(`${line}(`))
}

/** The last line of the item that begins at a line: itself, or the next one that closes it. */
function endOf(lines: readonly string[], at: number): number {
  const first = lines[at] ?? ''
  if (/[,;]$/.test(first)) return at
  const indentation = /^ */.exec(first)?.[0] ?? ''
  const end = lines.findIndex((line, index) => index > at && line === `${indentation}}`)
  if (end < 0) throw new Error(`"${first.trim()}" is not closed`)
  return end
}
