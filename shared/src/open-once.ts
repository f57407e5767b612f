/** Opens something on the first call and gives it to all later ones; what failed to open is tried again by the next call. */
export const openOnce = <Of, Opened>(open: (of: Of) => Promise<Opened>): ((of: Of) => Promise<Opened>) => {
  let opening: Promise<Opened> | undefined
  return (of) => {
    if (opening !== undefined) return opening
    const started = open(of)
    opening = started
    started.catch(() => {
      opening = undefined // what is short or away now, as memory or a server, may be there for the next call
    })
    return started
  }
}
