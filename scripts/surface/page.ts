import type { Compared, Comparison } from './compare.ts'
import type { Item, Kind } from './read.ts'

/** Calls that are refused whatever they ask: pallet to call to error. */
export type Refused = ReadonlyMap<string, ReadonlyMap<string, string>>

const NONE: ReadonlyMap<string, string> = new Map()

const SECTIONS: readonly { readonly kind: Kind; readonly title: string; readonly same: string }[] = [
  { kind: 'calls', title: 'Calls', same: 'index, arguments and their encoding' },
  { kind: 'storage', title: 'Storage', same: 'hashers, keys, values and modifier' },
  { kind: 'constants', title: 'Constants', same: 'type; the value may be this chain’s own' },
  { kind: 'errors', title: 'Errors', same: 'index' },
]

/** Writes the page that lists what is here and what is not. */
export function surfacePage({
  comparison,
  refused,
  reference,
}: {
  readonly comparison: Comparison
  readonly refused: Refused
  /** Version of the runtime that is compared with. */
  readonly reference: number
}): string {
  const { pallets, apis, absentPallets, ownPallets } = comparison
  return [
    '# What clients find on the chain',
    '',
    `Made by \`node scripts/chain-surface.ts\` from the runtime that ships with Arbor and the metadata of Bittensor's chain (spec ${reference});`,
    'do not edit: a test makes the page again and compares. [The chain](chain.md) says why things are as they are.',
    '',
    '- **same**: clients of the reference encode and decode it as they do there.',
    '- **refused**: a call that fails with the error named, whatever it asks. The page makes each call, signed and by root, and looks.',
    '- **differs**: the name of the reference with another index or encoding.',
    '- **absent**: only the reference has it. **own**: only this chain has it.',
    '',
    `Absent pallets: ${absentPallets.join(', ')}. Own pallets: ${ownPallets.join(', ')}.`,
    '',
    ...SECTIONS.flatMap(({ kind, title, same }) => [
      `## ${title}`,
      '',
      `*Same* means: ${same}.`,
      '',
      ...HEAD,
      ...pallets.flatMap(({ name, kinds }) =>
        rows(name, kinds[kind], kind === 'calls' ? (refused.get(name) ?? NONE) : NONE),
      ),
      '',
    ]),
    '## Runtime APIs',
    '',
    '*Same* means: types of arguments and answer.',
    '',
    ...HEAD,
    ...byApi(apis),
    '',
  ].join('\n')
}

const HEAD: readonly string[] = ['| | | | |', '|---|---|---|---|']

function rows(name: string, of: Compared, refused: ReadonlyMap<string, string>): readonly string[] {
  const isRefused = (item: Item): boolean => refused.has(item.name)
  const row = (label: string, items: readonly Item[]): readonly string[] => {
    const text = items.map((item) => `\`${item.name}\`${isRefused(item) ? ` (${refused.get(item.name)})` : ''}`)
    return items.length === 0 ? [] : [`| ${name} | ${label} | ${items.length} | ${text.join(', ')} |`]
  }
  return [
    ...row(
      'same',
      of.same.filter((item) => !isRefused(item)),
    ),
    ...row('refused', [...of.same, ...of.other].filter(isRefused)),
    ...row(
      'differs',
      of.other.filter((item) => !isRefused(item)),
    ),
    ...row('absent', of.absent),
    ...row('own', of.own),
  ]
}

/** Methods under the API that they belong to. */
function byApi(of: Compared): readonly string[] {
  const all = [...of.same, ...of.other, ...of.absent, ...of.own]
  const apis = [...new Set(all.map(({ name }) => name.slice(0, name.indexOf('_'))))]
  const within = (items: readonly Item[], api: string): readonly Item[] =>
    items
      .filter(({ name }) => name.startsWith(`${api}_`))
      .map((item) => ({ ...item, name: item.name.slice(api.length + 1) }))
  return apis.flatMap((api) =>
    rows(
      api,
      {
        same: within(of.same, api),
        other: within(of.other, api),
        absent: within(of.absent, api),
        own: within(of.own, api),
      },
      NONE,
    ),
  )
}
