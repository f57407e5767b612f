import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GRAPH_FILE, readJson, readSpeech } from '@arbor/engine/folder'
import { externalFiles, mustHoldWeights } from '@arbor/engine/graph/external'
import { type GraphIo, mustAgree, readIo } from '@arbor/engine/graph/io'
import { type Graph, readGraph } from '@arbor/engine/graph/onnx'
import { type Preparation, prepareGraph } from '@arbor/engine/graph/prepare'
import { type GraphProfile, profileOf } from '@arbor/engine/graph/profile'
import { rewrite, writePieces } from '@arbor/engine/graph/rewrite'
import { openSource } from '@arbor/engine/graph/source'
import { tryGraph } from '@arbor/engine/graph/trial'
import type { ModelConfig } from '@arbor/engine/model-config'
import { openTokenizer, type Tokenizer } from '@arbor/engine/tokenizer'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { claimedHash, type Described, writeCard } from './card.ts'
import type { Layout } from './layout.ts'
import { bringFile, placeFolder } from './place.ts'

/** What became of an export. */
export interface Imported extends Described {
  readonly folder: string
  readonly config: ModelConfig
  readonly chats: boolean
  /** True where the same model was there already, and nothing was written. */
  readonly wasThere: boolean
}

/** What is known of an export before anything is written. */
interface Examined {
  readonly graph: Graph
  readonly io: GraphIo
  readonly profile: GraphProfile
  readonly preparation: Preparation
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}

/**
 * Makes a model folder from an export: checks its files, gives the graph what it lacks, tries it beside the original, and writes
 * the card. The folder appears whole or not at all.
 * @param of.models the folder that holds models
 * @param of.say    told what comes next
 * @throws MODEL_* with the file or field that is wrong, MODEL_EXISTS when another model has the name
 */
export const importModel = async (of: {
  readonly layout: Layout
  readonly name: string
  readonly models: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly say: (what: string) => void
}): Promise<Imported> => {
  const { layout, name, signal, say } = of
  const folder = join(of.models, name)
  const source = openSource(layout.graph)
  try {
    say('reading the graph')
    const examined = await examine(layout, readGraph(source))
    const { config, io, profile, tokenizer } = examined
    let wasThere = false
    const described = await placeFolder({
      folder,
      random: randomBytes(6).toString('hex'),
      now: of.clock.now(),
      fill: async (temporary) => {
        await bringAll({ layout, examined, folder: temporary, signal })
        say('trying it beside the original')
        const changed = join(temporary, GRAPH_FILE)
        const { size: tokens } = tokenizer
        const sizes = { tokens, vocabulary: config.vocabulary, profile: profile.profile }
        const trial = await tryGraph({ original: layout.graph, changed, io, ...sizes, signal })
        say('hashing')
        return writeCard({ ...examined, layout, name, folder: temporary, trial, io: ioOf(changed) })
      },
      takes: async ({ hash }) => {
        signal.throwIfAborted()
        wasThere = existsSync(folder)
        if (wasThere && (await claimedHash(folder)) !== hash.slice(2)) throw taken(name, folder)
        return !wasThere
      },
    })
    return { ...described, folder, config, chats: tokenizer.chats, wasThere }
  } finally {
    source.close()
  }
}

/** Checks all that can be checked without running the graph. */
const examine = async (layout: Layout, graph: Graph): Promise<Examined> => {
  mustHoldWeights({ graph, folder: dirname(layout.graph), names: layout.besideGraph })
  const profile = profileOf(graph)
  const io = readIo(graph)
  const { config, tokenizer: files } = await readSpeech({ folder: layout.folder, names: layout.side })
  const tokenizer = openTokenizer(files)
  const json = await readJson(layout.folder, 'config.json')
  mustAgree({ io, config, tokens: tokenizer.size, json })
  if (tokenizer.chats) mustChat(layout, tokenizer)
  return { graph, io, profile, preparation: prepareGraph(graph), config, tokenizer }
}

/** A template that fails on a plain question would fail on every one. */
const mustChat = ({ folder }: Layout, tokenizer: Tokenizer): void => {
  try {
    tokenizer.encodeChat([{ role: 'user', content: 'What is this?' }])
  } catch (cause) {
    if (!(cause instanceof SubnetError)) throw cause
    throw new SubnetError({
      code: 'MODEL_TEMPLATE',
      message: `The chat template of ${folder} fails on a plain question: ${cause.details.why}; correct it, or remove it from the folder`,
      details: { folder },
      cause,
    })
  }
}

/** Writes the changed graph and brings everything that belongs to it. */
const bringAll = async (of: {
  readonly layout: Layout
  readonly examined: Examined
  readonly folder: string
  readonly signal: AbortSignal
}): Promise<void> => {
  const { layout, folder, signal } = of
  const { graph, preparation } = of.examined
  const from = dirname(layout.graph)
  for (const name of layout.side) await bringFile({ from: join(layout.folder, name), to: join(folder, name), signal })
  for (const name of externalFiles(graph)) {
    await bringFile({ from: join(from, name), to: join(folder, name), signal })
  }
  const path = join(folder, GRAPH_FILE)
  if (preparation.added.length === 0) await bringFile({ from: layout.graph, to: path, signal })
  else await writePieces({ path, source: graph.source, pieces: rewrite(graph, preparation.edit), signal })
}

/** Reads the inputs and outputs of a graph as it now is. */
const ioOf = (path: string): GraphIo => {
  const source = openSource(path)
  try {
    return readIo(readGraph(source))
  } finally {
    source.close()
  }
}

const taken = (name: string, folder: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_EXISTS',
    message: `There is another model ${name} in ${folder}; give this one another --name, or run arbor model remove ${name} first`,
    details: { name, folder },
  })
