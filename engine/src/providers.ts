import type { Provider } from '@arbor/shared/inference'

const PROVIDERS: readonly Provider[] = ['cpu', 'cuda', 'webgpu']

/** Reads names of execution providers with commas between, in order of preference; null where one is unknown or named twice. */
export const parseProviders = (text: string): readonly Provider[] | null => {
  const names = text.split(',')
  const providers = names.flatMap((name) => PROVIDERS.find((provider) => provider === name) ?? [])
  return providers.length === names.length && new Set(names).size === names.length ? providers : null
}
