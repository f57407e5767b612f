/** Replaces what a terminal would obey instead of show, such as escape sequences in a chain's or a miner's own words. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}|\p{Cf}/gu, '\uFFFD')
