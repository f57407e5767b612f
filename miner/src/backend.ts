import { resolve } from 'node:path'
import type { BackendKind, LlamaBackendOptions, OpenAiBackendOptions } from '@arbor/engine/backends/types'
import { SubnetError } from '@arbor/shared/errors'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { type Command, Option } from 'commander'

/** Who computes answers in place of our own sessions. */
export type MinerBackend =
  | Pick<OpenAiBackendOptions, 'kind' | 'url' | 'model' | 'keyFile'>
  | Pick<LlamaBackendOptions, 'kind' | 'gguf' | 'gpu' | 'from'>

/** Flags of `withBackend`. */
export interface BackendFlags {
  readonly backend: BackendKind
  readonly backendUrl?: string
  readonly backendModel?: string
  readonly backendKeyFile?: string
  readonly gguf?: string
  readonly ggufGpu?: 'cuda' | 'vulkan' | 'metal'
  readonly cheat?: string
}

const KINDS = ['onnx', 'openai', 'llama'] as const satisfies readonly BackendKind[]

/** Adds the flags that say who computes. */
export const withBackend = (command: Command): Command =>
  command
    .addOption(new Option('--backend <kind>', 'who computes: docs/backends.md').choices(KINDS).default('onnx'))
    .option('--backend-url <url>', "where a model server's API begins, such as http://127.0.0.1:8000/v1 (openai)")
    .option('--backend-model <name>', "the model's name on that server (default: its only one)")
    .option('--backend-key-file <file>', 'a file that holds the key of that server')
    .option('--gguf <file>', "the model's weights (llama)")
    .addOption(
      new Option('--gguf-gpu <device>', 'what computes with them (default: the processor)').choices([
        'cuda',
        'vulkan',
        'metal',
      ]),
    )

/** Flags of each backend; those of another are a mistake. */
const FLAGS = {
  onnx: [],
  openai: ['backendUrl', 'backendModel', 'backendKeyFile'],
  llama: ['gguf', 'ggufGpu'],
} as const

/**
 * Reads the flags.
 * @returns null for our own sessions
 * @throws MINER_BACKEND when a flag is missing, or belongs to another backend
 */
export const backendOf = (flags: BackendFlags, cwd: string): MinerBackend | null => {
  const { backend, backendUrl: url, backendModel: model, backendKeyFile, gguf, ggufGpu: gpu } = flags
  const foreign = Object.values(FLAGS)
    .flat()
    .find((name) => flags[name] !== undefined && !(FLAGS[backend] as readonly string[]).includes(name))
  if (foreign !== undefined) throw wrong(`${flagOf(foreign)} does not go with --backend ${backend}`)
  if (backend === 'onnx') return null
  if (flags.cheat !== undefined) throw wrong(`--cheat does not go with --backend ${backend}`)
  if (backend === 'llama') {
    if (gguf === undefined) throw wrong('--backend llama needs --gguf')
    return { kind: backend, gguf: resolve(cwd, gguf), gpu, from: cwd }
  }
  if (url === undefined) throw wrong('--backend openai needs --backend-url')
  return { kind: backend, url, model, keyFile: backendKeyFile === undefined ? undefined : resolve(cwd, backendKeyFile) }
}

const SEED = `0x${'00'.repeat(32)}` as const

/**
 * Expects a subnet to ask what the backend can answer: a model server's sampler is not ours, so it answers greedily alone.
 * @throws MINER_BACKEND when the subnet's own questions have a temperature
 */
export const mustSuit = ({
  spec,
  backend,
}: {
  readonly spec: SubnetSpec
  readonly backend: MinerBackend | null
}): void => {
  if (backend?.kind !== 'openai') return
  for (const [name, task] of Object.entries(spec.tasks)) {
    const asked: unknown = task.plan({ seed: SEED })
    const temperature: unknown = typeof asked === 'object' && asked !== null ? Reflect.get(asked, 'temperature') : 0
    if (typeof temperature !== 'number' || temperature === 0) continue
    throw wrong(`--backend openai answers at temperature 0 only, and ${spec.name} asks ${name} at ${temperature}`)
  }
}

const flagOf = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const wrong = (what: string): SubnetError =>
  new SubnetError({ code: 'MINER_BACKEND', message: `${what}; see docs/backends.md` })
