import { type Item, KINDS, type Kind, type PalletSurface, type Surface } from './read.ts'

/** How the items of one kind stand to those of another chain, by name and in the order of the metadata. */
export interface Compared {
  /** Name, index and encoding are equal. */
  readonly same: readonly Item[]
  /** The name is there; index or encoding differ. */
  readonly other: readonly Item[]
  /** Only the other chain has it. */
  readonly absent: readonly Item[]
  /** Only this chain has it. */
  readonly own: readonly Item[]
}

/** One pallet that both chains have. */
export interface ComparedPallet {
  readonly name: string
  readonly kinds: Readonly<Record<Kind, Compared>>
}

/** What two chains have in common, and what not. */
export interface Comparison {
  readonly pallets: readonly ComparedPallet[]
  readonly absentPallets: readonly string[]
  readonly ownPallets: readonly string[]
  readonly apis: Compared
}

/** Compares what a chain shows to clients with what another shows. */
export function compareSurfaces(ours: Surface, theirs: Surface): Comparison {
  const found = (surface: Surface, { name }: PalletSurface): PalletSurface | undefined =>
    surface.pallets.find((pallet) => pallet.name === name)
  const both = theirs.pallets.flatMap((pallet) => {
    const own = found(ours, pallet)
    return own === undefined ? [] : [{ own, pallet }]
  })
  return {
    pallets: both.map(({ own, pallet }) => ({
      name: pallet.name,
      kinds: Object.fromEntries(KINDS.map((kind) => [kind, compare(own[kind], pallet[kind])])) as Record<
        Kind,
        Compared
      >,
    })),
    absentPallets: theirs.pallets.filter((pallet) => !found(ours, pallet)).map(({ name }) => name),
    ownPallets: ours.pallets.filter((pallet) => !found(theirs, pallet)).map(({ name }) => name),
    apis: compare(ours.apis, theirs.apis),
  }
}

function compare(ours: readonly Item[], theirs: readonly Item[]): Compared {
  const byName = new Map(ours.map((item) => [item.name, item]))
  const names = new Set(theirs.map(({ name }) => name))
  const isSame = (item: Item): boolean => {
    const own = byName.get(item.name)
    return own?.index === item.index && own.shape === item.shape
  }
  return {
    same: theirs.filter(isSame),
    other: theirs.filter((item) => byName.has(item.name) && !isSame(item)),
    absent: theirs.filter(({ name }) => !byName.has(name)),
    own: ours.filter(({ name }) => !names.has(name)),
  }
}
