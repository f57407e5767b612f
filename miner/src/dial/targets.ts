import { InvalidArgumentError } from 'commander'
import type { DialTargets } from './dial.ts'

/** Relays that one miner may dial. */
const MAX_TARGETS = 16

/** Reads --dial: `validators`, or URLs with commas between them. */
export const dialArgument = (text: string): DialTargets => {
  if (text === 'validators') return text
  const urls = text.split(',').map((part) => readUrl(part.trim()))
  if (urls.length > MAX_TARGETS) throw new InvalidArgumentError(`more than ${MAX_TARGETS} relays`)
  return urls
}

const readUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null
  const plain = url !== null && (url.protocol === 'ws:' || url.protocol === 'wss:') && url.username === ''
  if (!plain || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new InvalidArgumentError(`"${text}" is not validators, and no relay as ws://host:port or wss://host:port`)
  return url
}
