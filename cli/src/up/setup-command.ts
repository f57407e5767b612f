import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { coldkeyFiles, hotkeyFiles } from '@arbor/chain/wallet/paths'
import type { CommandContext } from '@arbor/shared/command'
import { keypairFromUri } from '@arbor/shared/keys'
import { netUid } from '@arbor/shared/units'
import { Command } from 'commander'
import { withChain } from '../chain.ts'
import { mustBeDev } from '../faucet.ts'
import { openMembers } from './members.ts'
import { places } from './roster.ts'
import { registerMembers } from './setup.ts'

interface SetupOptions {
  readonly network: string
  readonly wallets: string
  readonly hotkeys?: string
}

/** Makes `arbor up setup`: wallets and registrations of the local net on a dev chain that runs already, for containers. */
export function setupCommand(context: CommandContext): Command {
  const { signal, stdout, cwd } = context
  return new Command('setup')
    .description('make the wallets of the local net and register them on a dev chain that runs already')
    .requiredOption('--network <url>', "the dev chain's WebSocket")
    .requiredOption('--wallets <folder>', 'where the wallets go, coldkeys included')
    .option('--hotkeys <folder>', 'where to copy what a miner or validator may see: hotkeys and public keys')
    .action(({ network, wallets, hotkeys }: SetupOptions) =>
      withChain(context, network, async (chain) => {
        await mustBeDev(chain)
        const members = await openMembers({
          places: places({ honest: 3, cheats: ['int8'], validators: 2 }),
          wallets: resolve(cwd, wallets),
        })
        await registerMembers({ chain, netuid: netUid(1), members, bank: keypairFromUri('//Alice'), signal })
        for (const { member } of members) {
          if (hotkeys !== undefined)
            shareHotkey({ from: resolve(cwd, wallets), to: resolve(cwd, hotkeys), wallet: member.name })
          stdout.write(`${member.name} ${member.hotkey}\n`)
        }
      }),
    )
}

/** Copies a wallet without its coldkey. */
function shareHotkey({
  from,
  to,
  wallet,
}: {
  readonly from: string
  readonly to: string
  readonly wallet: string
}): void {
  const files = (wallets: string): readonly string[] => {
    const hot = hotkeyFiles({ wallets, wallet, hotkey: 'default' })
    return [hot.secret, hot.pub, coldkeyFiles({ wallets, wallet }).pub]
  }
  for (const [i, source] of files(from).entries()) {
    const target = files(to)[i] ?? join(to, wallet)
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
    copyFileSync(source, target)
  }
}
