/** Puts an entry last and drops the first ones above `most`. */
export const remember = <Entry, Name>(entries: Map<Name, Entry>, name: Name, entry: Entry, most: number): void => {
  entries.delete(name)
  entries.set(name, entry)
  for (const first of entries.keys()) {
    if (entries.size <= most) return
    entries.delete(first)
  }
}
