/** One step of an image: what `docker build` would do, in order. */
export type Step =
  | { readonly kind: 'env'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'workdir'; readonly folder: string }
  | { readonly kind: 'copy'; readonly sources: readonly string[]; readonly target: string }
  | { readonly kind: 'run'; readonly script: string }
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'volume'; readonly folders: readonly string[] }
  | { readonly kind: 'expose'; readonly port: number }
  | { readonly kind: 'health'; readonly check: HealthCheck }
  | { readonly kind: 'entrypoint'; readonly words: readonly string[] }
  | { readonly kind: 'cmd'; readonly words: readonly string[] }

/** A HEALTHCHECK; times in seconds. */
export interface HealthCheck {
  readonly command: readonly string[]
  readonly intervalS: number
  readonly timeoutS: number
  readonly startPeriodS: number
}

/** A stage: the image or stage that it begins with, and its steps. */
export interface Stage {
  readonly name: string
  readonly from: string
  readonly steps: readonly Step[]
}

/** Reads a Dockerfile. @throws on every instruction, flag or form that this interpreter would not carry out as Docker does */
export function parseDockerfile(text: string): ReadonlyMap<string, Stage> {
  const stages = new Map<string, { name: string; from: string; steps: Step[] }>()
  let current: { name: string; from: string; steps: Step[] } | undefined
  for (const line of logicalLines(text)) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/s.exec(line) ?? []
    if (word === 'FROM') {
      const [, from, name] = /^(\S+) AS (\S+)$/.exec(rest) ?? refuse(line)
      current = { name: String(name), from: String(from), steps: [] }
      stages.set(current.name, current)
    } else if (current === undefined) refuse(line)
    else current.steps.push(stepOf(word, rest, line))
  }
  return stages
}

/** Lists a stage's ancestors, the base image excluded, oldest first. */
export function chainOf(stages: ReadonlyMap<string, Stage>, name: string): readonly Stage[] {
  const stage = stages.get(name)
  if (stage === undefined) throw new Error(`docker/Dockerfile has no stage "${name}"`)
  return stages.has(stage.from) ? [...chainOf(stages, stage.from), stage] : [stage]
}

const readers: Readonly<Record<string, (rest: string, line: string) => Step>> = {
  ENV: (rest, line) => ({
    kind: 'env',
    values: Object.fromEntries(rest.split(/\s+/).map((pair) => pairOf(pair, line))),
  }),
  WORKDIR: (rest, line) => ({ kind: 'workdir', folder: rest.startsWith('/') ? rest : refuse(line) }),
  COPY: (rest, line) => {
    const words = rest.split(/\s+/)
    const target = words.at(-1)
    if (target === undefined || words.length < 2 || /^--|[[*?]|\.\./m.test(words.join('\n'))) return refuse(line)
    return { kind: 'copy', sources: words.slice(0, -1), target }
  },
  RUN: (rest, line) => ({ kind: 'run', script: /^(--|\[)/.test(rest) ? refuse(line) : rest }),
  USER: (rest, line) => ({ kind: 'user', name: /^[a-z]+$/.test(rest) ? rest : refuse(line) }),
  VOLUME: (rest, line) => ({ kind: 'volume', folders: rest.startsWith('/') ? rest.split(/\s+/) : refuse(line) }),
  EXPOSE: (rest, line) => ({ kind: 'expose', port: /^\d+$/.test(rest) ? Number(rest) : refuse(line) }),
  HEALTHCHECK: (rest, line) => ({ kind: 'health', check: healthOf(rest, line) }),
  ENTRYPOINT: (rest, line) => ({ kind: 'entrypoint', words: jsonWords(rest, line) }),
  CMD: (rest, line) => ({ kind: 'cmd', words: jsonWords(rest, line) }),
}

const stepOf = (word: string, rest: string, line: string): Step => (readers[word] ?? refuse(line))(rest, line)

/** Joins continued lines and drops comments and empty lines. */
const logicalLines = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

function healthOf(rest: string, line: string): HealthCheck {
  const [, flags = '', command = ''] = /^((?:--\S+\s+)*)CMD\s+(.*)$/.exec(rest) ?? refuse(line)
  const seconds = new Map<string, number>()
  for (const flag of flags.split(/\s+/).filter(Boolean)) {
    const [, name = '', time] = /^--(interval|timeout|start-period)=(\d+)s$/.exec(flag) ?? refuse(line)
    seconds.set(name, Number(time))
  }
  const of = (name: string, standard: number): number => seconds.get(name) ?? standard
  return {
    command: jsonWords(command, line),
    intervalS: of('interval', 30),
    timeoutS: of('timeout', 30),
    startPeriodS: of('start-period', 0),
  }
}

/** The shell forms would need another way of starting; nothing here uses them. */
function jsonWords(text: string, line: string): readonly string[] {
  const words: unknown = text.startsWith('[') ? JSON.parse(text) : refuse(line)
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string')) return refuse(line)
  return words
}

const pairOf = (pair: string, line: string): readonly [string, string] => {
  const [, key = '', value = ''] = /^(\w+)=([^\s"'$\\]*)$/.exec(pair) ?? refuse(line)
  return [key, value]
}

const refuse = (line: string): never => {
  throw new Error(`docker/Dockerfile says "${line}", which the rehearsal cannot carry out as Docker would`)
}
