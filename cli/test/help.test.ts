import { chainCommand } from '@arbor/chain/command'
import { chatCommand } from '@arbor/gateway/chat/command'
import { gatewayCommand } from '@arbor/gateway/command'
import { minerCommand } from '@arbor/miner/command'
import type { CommandContext } from '@arbor/shared/command'
import { validatorCommand } from '@arbor/validator/command'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { doctorCommand } from '../src/doctor/command.ts'
import { faucetCommand } from '../src/faucet.ts'
import { finetuneCommand } from '../src/finetune/command.ts'
import { registerCommand } from '../src/register.ts'
import { signerCommand } from '../src/signer.ts'
import { stakeCommand } from '../src/stake.ts'
import { subnetCommand } from '../src/subnet.ts'
import { upCommand } from '../src/up/command.ts'
import { walletCommand } from '../src/wallet.ts'

const sink = { write: () => true }
const context: CommandContext = {
  signal: new AbortController().signal,
  env: {},
  stdout: sink,
  stderr: sink,
  cwd: '/',
  homedir: '/home',
}
const factories = {
  chainCommand,
  chatCommand,
  gatewayCommand,
  minerCommand,
  validatorCommand,
  doctorCommand,
  faucetCommand,
  finetuneCommand,
  registerCommand,
  signerCommand,
  stakeCommand,
  subnetCommand,
  upCommand,
  walletCommand,
}
const withChildren = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(withChildren)]

test.each(Object.entries(factories))('%s prints a help that describes every option', (_, factory) => {
  for (const command of withChildren(factory(context))) {
    expect(command.helpInformation()).toContain(command.name())
    expect(command.description()).not.toBe('')
    for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).not.toBe('')
  }
})
