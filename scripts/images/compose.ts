import { exec } from './host.ts'

/** A service of the compose file, as far as the rehearsal carries it out. */
export interface Service {
  readonly name: string
  readonly target: string
  readonly command: readonly string[] | null
  readonly after: readonly { readonly service: string; readonly condition: string }[]
  readonly mounts: readonly Mount[]
  readonly address: string
  readonly readOnly: boolean
  readonly tmpfs: readonly string[]
  readonly graceS: number
}

/** A volume by name, or a folder of this machine by path. */
export interface Mount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** Folder of the volume that is seen, if not all of it. */
  readonly subpath: string | null
}

/** What `cap_drop: [ALL]` and no-new-privileges are to be; the rehearsal always drops both, so a service that keeps them is refused. */
const HARDENING = { cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] } as const
const KNOWN = new Set([
  ...['image', 'build', 'command', 'depends_on', 'volumes', 'networks', 'ports', 'restart'],
  ...['read_only', 'tmpfs', 'cap_drop', 'security_opt', 'stop_grace_period'],
])

/** Reads a compose file. @throws on whatever the rehearsal would not carry out as Compose does */
export function readCompose(file: string): { readonly services: readonly Service[]; readonly subnet: string } {
  const program = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))'
  const document = record(JSON.parse(exec('python3', ['-c', program, file])))
  const network = record(record(document['networks'])['subnet'])
  const subnet = String(record(list(record(network['ipam'])['config'])[0])['subnet'])
  const [, prefix] = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(subnet) ?? []
  if (prefix === undefined) throw new Error(`compose: the network ${subnet} is no /24`)
  const free = Array.from({ length: 50 }, (_, i) => `${prefix}.${200 + i}`).values()
  const services = Object.entries(record(document['services'])).map(([name, value]) =>
    serviceOf(name, record(value), () => String(free.next().value)),
  )
  return { services, subnet }
}

function serviceOf(name: string, of: Record<string, unknown>, anyAddress: () => string): Service {
  for (const key of Object.keys(of))
    if (!KNOWN.has(key)) throw new Error(`compose: ${name} says ${key}, which is not rehearsed`)
  for (const [key, value] of Object.entries(HARDENING)) {
    if (JSON.stringify(of[key]) !== JSON.stringify(value))
      throw new Error(`compose: ${name} does not say ${key}: ${value}`)
  }
  const networks = Array.isArray(of['networks']) ? {} : record(record(of['networks'])['subnet'])
  const [, grace = '10'] = /^(\d+)s$/.exec(String(of['stop_grace_period'] ?? '10s')) ?? []
  return {
    name,
    target: String(record(of['build'])['target']),
    command: of['command'] === undefined ? null : list(of['command']).map(String),
    after: Object.entries(record(of['depends_on'] ?? {})).map(([service, value]) => ({
      service,
      condition: String(record(value)['condition']),
    })),
    mounts: list(of.volumes ?? []).map(mountOf),
    address: String(networks['ipv4_address'] ?? anyAddress()),
    readOnly: of['read_only'] === true,
    tmpfs: list(of['tmpfs'] ?? []).map(String),
    graceS: Number(grace),
  }
}

function mountOf(value: unknown): Mount {
  if (typeof value === 'string') {
    const [source = '', target = '', mode] = value.split(':')
    if (!target.startsWith('/') || (mode !== undefined && mode !== 'ro'))
      throw new Error(`compose: the mount ${value} is not rehearsed`)
    return { source, target, readOnly: mode === 'ro', subpath: null }
  }
  const { type, source, target, read_only: readOnly, volume, ...rest } = record(value)
  const { subpath, ...more } = record(volume)
  if (type !== 'volume' || Object.keys({ ...rest, ...more }).length > 0)
    throw new Error(`compose: the mount ${JSON.stringify(value)} is not rehearsed`)
  return { source: String(source), target: String(target), readOnly: readOnly === true, subpath: String(subpath) }
}

const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`compose: a mapping was expected, not ${JSON.stringify(value)}`)
  return value as Record<string, unknown>
}

const list = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Error(`compose: a list was expected, not ${JSON.stringify(value)}`)
  return value
}
