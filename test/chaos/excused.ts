/** Writes that a run cannot come to, with the reason; the long form fails for any other that was not hit. */
export const EXCUSED: Readonly<Record<string, string>> = {
  'weights:included>committed':
    'needs a reorganisation that takes an opening off the chain and keeps it off until its era is over',
  'weights:revealing>failed':
    'says that the commit on the chain is not of the plaintext that was kept, which nothing but a fault of our own brings about',
}
