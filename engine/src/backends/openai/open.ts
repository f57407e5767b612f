import { readFile } from 'node:fs/promises'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import { readModelFolder } from '../../folder.ts'
import { prepareRequest } from '../../request.ts'
import { openTokenizer } from '../../tokenizer.ts'
import { badOption, cannotCheck, notGreedy } from '../errors.ts'
import { createServing } from '../serving.ts'
import type { Backend, OpenAiBackendOptions } from '../types.ts'
import { generate } from './generate.ts'
import { probe } from './probe.ts'
import type { Server } from './server.ts'

export interface OpenAiDeps {
  readonly clock: Clock
  /** Until the first bytes of an answer. */
  readonly firstMs?: Ms
  /** Between two pieces of an answer. */
  readonly idleMs?: Ms
  /** Ends the opening. */
  readonly signal?: AbortSignal
}

/** A long prompt behind a full queue takes this long on a slow server; a stalled one is given up after half of it. */
const PATIENCE = { firstMs: 60_000 as Ms, idleMs: 30_000 as Ms }

/**
 * Opens a server that speaks OpenAI's API as a backend. Its sampler is not ours, so it answers greedily and proves nothing: each of
 * its tokens can be checked to be the one that the model itself ranks first.
 * @throws ENGINE_BACKEND_*, MODEL_*
 */
export const openOpenAiBackend = async (of: OpenAiBackendOptions, deps: OpenAiDeps): Promise<Backend> => {
  const folder = await readModelFolder(of)
  const server: Server = {
    url: apiUrl(of.url),
    key: of.keyFile === undefined ? null : await readKey(of.keyFile),
    firstMs: deps.firstMs ?? PATIENCE.firstMs,
    idleMs: deps.idleMs ?? PATIENCE.idleMs,
    clock: deps.clock,
  }
  const tokenizer = openTokenizer(folder.tokenizer)
  const { config } = folder
  const signal = deps.signal ?? new AbortController().signal
  const known = await probe({ server, model: of.model, tokenizer, config, signal })
  const serving = createServing({ name: folder.id.name, slots: of.batch ?? 1 })
  return {
    kind: 'openai',
    model: folder.id,
    proofs: ['none'],
    about: `${server.url.origin}, ${known.model}, asked as ${known.dialect.name}`,
    generate: async (request, options = {}) => {
      if (request.temperature !== 0 || request.proof !== 'none') throw notGreedy(request)
      const prepared = prepareRequest({ request, config, tokenizer })
      return serving.run(options.signal, (signal) =>
        generate({ ...known, tokenizer, config }, prepared, options, signal),
      )
    },
    check: async () => {
      throw cannotCheck()
    },
    stats: serving.stats,
    close: serving.close,
  }
}

const apiUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw badOption(`The backend's URL ${text.slice(0, 200)} is no http:// or https:// URL`)
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw badOption("The backend's URL holds more than an address and a path; give a key with --backend-key-file")
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

const KEY_BYTES = 4_096

const readKey = async (file: string): Promise<string> => {
  const key = await readFile(file, 'utf8').then(
    (content) => content.trim(),
    (cause: unknown) => {
      throw new SubnetError({
        code: 'ENGINE_BACKEND_KEY',
        message: `The key file ${file} cannot be read; check --backend-key-file`,
        details: { file },
        cause,
      })
    },
  )
  if (/^[\x21-\x7e]+$/.test(key) && key.length <= KEY_BYTES) return key
  throw new SubnetError({
    code: 'ENGINE_BACKEND_KEY',
    message: `The key file ${file} does not hold one key of printable characters; check --backend-key-file`,
    details: { file },
  })
}
