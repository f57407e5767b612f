import { SubnetError } from '@arbor/shared/errors'
import { type CompatReport, checkCompat, type Finding } from './compat.ts'
import { type Feature, features } from './needs/features.ts'
import type { Reader } from './reader.ts'
import type { Runtime } from './runtime.ts'
import type { Request, RpcSocket } from './socket-types.ts'

/** What an upgrade of the chain's code means for us. */
export interface RuntimeChange {
  readonly from: number
  readonly to: number
  /** What Arbor uses and what is now otherwise than before, as it is now. */
  readonly changed: readonly Finding[]
  /** Features that work no more. */
  readonly broken: readonly Feature[]
  /** Features that did not work and do now. */
  readonly mended: readonly Feature[]
}

/** Compares two versions of a chain's code, as far as Arbor uses it. */
export function compareRuntimes(before: Runtime, after: Runtime): RuntimeChange {
  const [old, now] = [checkCompat(before), checkCompat(after)]
  return {
    from: before.specVersion,
    to: after.specVersion,
    changed: now.findings.filter((finding, index) => {
      const was = old.findings[index]
      return was?.status !== finding.status || was.found !== finding.found
    }),
    broken: now.broken.filter((feature) => !old.broken.includes(feature)),
    mended: old.broken.filter((feature) => !now.broken.includes(feature)),
  }
}

/** Says in a line what an upgrade means. */
export function changeText({ from, to, changed, broken, mended }: RuntimeChange): string {
  const list = (all: readonly Feature[]): string => all.map((feature) => features[feature].title).join(', ')
  return [
    `the chain's code went from spec version ${from} to ${to}`,
    changed.length === 0
      ? 'nothing that Arbor uses changed'
      : `changed: ${changed.map(({ kind, name, status }) => `${kind} ${name} (${status})`).join(', ')}`,
    ...(broken.length === 0 ? [] : [`works no more: ${list(broken)}; see arbor chain compat`]),
    ...(mended.length === 0 ? [] : [`works again: ${list(mended)}`]),
  ].join('; ')
}

/** Refuses a chain that lacks what the features need. @throws CHAIN_INCOMPATIBLE naming each thing */
export function mustHave(report: CompatReport, needed: readonly Feature[], where: string): void {
  const bad = report.findings.filter(
    ({ status, features: used }) =>
      (status === 'missing' || status === 'changed') && used.some((feature) => needed.includes(feature)),
  )
  if (bad.length === 0) return
  const named = bad.slice(0, 8).map(({ kind, name, status }) => `${kind} ${name} ${status}`)
  const more = bad.length > named.length ? ` and ${bad.length - named.length} more` : ''
  throw new SubnetError({
    code: 'CHAIN_INCOMPATIBLE',
    message: `${where} (${report.specName}, spec version ${report.specVersion}) does not have what Arbor needs: ${named.join(', ')}${more}; see arbor chain compat, update Arbor, or use another chain`,
    details: { specVersion: report.specVersion, broken: report.broken.join(' ') },
  })
}

/** Hears of new code from the chain itself, so that an upgrade is known before the next call is signed. */
export async function watchUpgrades(
  socket: RpcSocket,
  reader: Pick<Reader, 'runtime' | 'runtimeOfNext'>,
  onError: (error: unknown) => void,
): Promise<void> {
  const onMessage = (version: unknown): void => {
    const { specVersion } = (version ?? {}) as { readonly specVersion?: unknown }
    if (specVersion !== reader.runtime().specVersion) reader.runtimeOfNext().catch(onError)
  }
  await socket
    .subscribe({
      method: 'state_subscribeRuntimeVersion',
      unsubscribe: 'state_unsubscribeRuntimeVersion',
      params: [],
      renew: true,
      onMessage,
    })
    .catch(onError)
}

/** Asks for the version of the code, since a notice may get lost. */
export async function watchVersion(request: Request, reader: Pick<Reader, 'runtime' | 'runtimeOfNext'>): Promise<void> {
  const { specVersion } = (await request('state_getRuntimeVersion', [])) as { readonly specVersion?: unknown }
  if (specVersion !== reader.runtime().specVersion) await reader.runtimeOfNext()
}
