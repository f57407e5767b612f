import { createWallet } from '@arbor/chain/wallet/create'
import { openColdkey, readColdkeyPub, readHotkeyPub } from '@arbor/chain/wallet/open'
import { SubnetError } from '@arbor/shared/errors'
import { generateMnemonic } from '@arbor/shared/keys'
import type { Place } from './roster.ts'
import type { FundedMember } from './setup.ts'

/**
 * Opens the wallets of a local net, making those that are missing. They lie in the net's own folder, never in the user's.
 * @throws WALLET_* when a wallet of an older net cannot be read
 */
export async function openMembers({
  places,
  wallets,
}: {
  readonly places: readonly Place[]
  readonly wallets: string
}): Promise<readonly FundedMember[]> {
  const opened = places.map(async (place) => {
    const name = { wallets, wallet: place.name, hotkey: 'default' }
    if (!exists(name)) createWallet({ ...name, generateMnemonic: () => generateMnemonic() })
    const coldkey = await openColdkey(name)
    return { member: { ...place, hotkey: readHotkeyPub(name).address, coldkey: readColdkeyPub(name).address }, coldkey }
  })
  return Promise.all(opened)
}

function exists(name: { wallets: string; wallet: string; hotkey: string }): boolean {
  try {
    readHotkeyPub(name)
    return true
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'WALLET_NOT_FOUND') return false
    throw error
  }
}
