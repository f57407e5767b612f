import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { incomplete, invalidFile } from '@arbor/engine/folder'
import { SubnetError } from '@arbor/shared/errors'

/** Files of an export, wherever its exporter put them. */
export interface Layout {
  /** The folder that was named. */
  readonly folder: string
  /** Path of the graph. */
  readonly graph: string
  /** The graph's name within the folder. */
  readonly graphName: string
  /** Files beside the graph, which may hold its weights. */
  readonly besideGraph: readonly string[]
  /** Files that say how to speak to the model, in the folder that was named. */
  readonly side: readonly string[]
  /** Whether it is a folder of Arbor's own, with a card. */
  readonly hasCard: boolean
}

const NEEDED = ['config.json', 'tokenizer.json']
const OPTIONAL = ['tokenizer_config.json', 'generation_config.json', 'chat_template.jinja']
const LICENCE = /^(LICEN[CS]E|NOTICE)(\.txt|\.md)?$/
/** Where exporters put a whole decoder, most wanted first; variants of fewer bits are asked for by name. */
const USUAL = ['model.onnx', 'onnx/model.onnx', 'decoder_with_past_model.onnx']
/** Protobuf's own limit, and ONNX's: larger models keep their weights in files of their own. */
const MAX_GRAPH_BYTES = 2 ** 31 - 1

/**
 * Finds the files of an export: Arbor's own layout, Optimum's (all in one folder), or that of transformers.js (the graph and its
 * variants in `onnx/`).
 * @param of.graph the graph's name within the folder, where there are several
 * @throws MODEL_MISSING      when the folder cannot be read
 * @throws MODEL_INCOMPLETE   when config.json, tokenizer.json or a graph is not there
 * @throws MODEL_CHOICE       when there are several graphs and none was named
 * @throws MODEL_FILE_INVALID when the graph lies outside or is too large
 */
export const readLayout = async (of: {
  readonly folder: string
  readonly graph?: string | undefined
}): Promise<Layout> => {
  const { folder } = of
  const names = await filesIn(folder)
  const absent = NEEDED.filter((name) => !names.includes(name))
  if (absent.length > 0) throw incomplete(folder, absent)
  const inOnnx = (await isFolder(join(folder, 'onnx'))) ? await filesIn(join(folder, 'onnx')) : []
  const graphName = of.graph ?? chooseGraph(folder, [...names, ...inOnnx.map((name) => `onnx/${name}`)])
  const graph = resolve(folder, graphName)
  if (relative(folder, graph).split(sep).includes('..')) throw invalidFile(folder, graphName, 'outside of it')
  const { size } = await statOf(folder, graph, graphName)
  if (size > MAX_GRAPH_BYTES) {
    throw invalidFile(folder, graphName, `of ${size} bytes: above 2 GiB keep the weights in a file of their own`)
  }
  return {
    folder,
    graph,
    graphName: relative(folder, graph).split(sep).join('/'),
    besideGraph: await filesIn(dirname(graph)),
    side: names.filter((name) => [...NEEDED, ...OPTIONAL].includes(name) || LICENCE.test(name)),
    hasCard: names.includes('card.json'),
  }
}

/** Suggests a model's name: that of its folder, in the characters that names may have. */
export const nameFor = (folder: string): string =>
  basename(folder)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)

const chooseGraph = (folder: string, names: readonly string[]): string => {
  const usual = USUAL.find((name) => names.includes(name))
  if (usual !== undefined) return usual
  const graphs = names.filter((name) => name.endsWith('.onnx'))
  if (graphs.length === 0) throw incomplete(folder, ['model.onnx'])
  const [only, ...others] = graphs
  if (only !== undefined && others.length === 0) return only
  throw new SubnetError({
    code: 'MODEL_CHOICE',
    message: `${folder} holds several graphs: ${graphs.slice(0, 12).join(', ')}; name one with --graph`,
    details: { folder, graphs: graphs.join(', ') },
  })
}

/** Names the plain files of a folder, links to files among them: download caches are made of such links. */
const filesIn = async (folder: string): Promise<string[]> => {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const plain = await Promise.all(
      entries.map(
        async (entry) => entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(folder, entry.name)))),
      ),
    )
    return entries.filter((_, index) => plain[index]).map(({ name }) => name)
  } catch (cause) {
    throw new SubnetError({
      code: 'MODEL_MISSING',
      message: `The folder ${folder} cannot be read; name the folder of an export`,
      details: { folder },
      cause,
    })
  }
}

const isFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(await realpath(path))).isFile()
  } catch {
    return false // a link that leads nowhere
  }
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false // there is none
  }
}

const statOf = async (folder: string, path: string, name: string) => {
  try {
    const found = await stat(path)
    if (found.isFile()) return found
  } catch {
    throw incomplete(folder, [name])
  }
  throw invalidFile(folder, name, 'no plain file')
}
