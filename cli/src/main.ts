import process from 'node:process'
import type { CommandContext } from '@arbor/shared/command'
import { runCommand } from '@arbor/shared/run-command'
import { Command } from 'commander'

type Factory = (context: CommandContext) => Command

/** Every command by name; its code is loaded only when it is the one that runs. */
const commands: readonly { readonly name: string; readonly summary: string; readonly load: () => Promise<Factory> }[] =
  [
    {
      name: 'up',
      summary: 'run a whole subnet on this machine',
      load: async () => (await import('./up/command.ts')).upCommand,
    },
    { name: 'chain', summary: 'run the chain', load: async () => (await import('@arbor/chain/command')).chainCommand },
    {
      name: 'miner',
      summary: 'answer requests and earn',
      load: async () => (await import('@arbor/miner/command')).minerCommand,
    },
    {
      name: 'validator',
      summary: 'query, verify and set weights',
      load: async () => (await import('@arbor/validator/command')).validatorCommand,
    },
    {
      name: 'gateway',
      summary: 'serve the OpenAI API with the miners',
      load: async () => (await import('@arbor/gateway/command')).gatewayCommand,
    },
    {
      name: 'chat',
      summary: 'talk to a gateway in the terminal',
      load: async () => (await import('@arbor/gateway/chat/command')).chatCommand,
    },
    {
      name: 'relay',
      summary: 'carry questions to miners without an open port',
      load: async () => (await import('@arbor/validator/relay/command')).relayCommand,
    },
    {
      name: 'signer',
      summary: 'hold hotkeys in a process of its own',
      load: async () => (await import('./signer.ts')).signerCommand,
    },
    {
      name: 'wallet',
      summary: 'create and show wallets',
      load: async () => (await import('./wallet.ts')).walletCommand,
    },
    {
      name: 'model',
      summary: 'add, show and measure models',
      load: async () => (await import('./model/command.ts')).modelCommand,
    },
    {
      name: 'finetune',
      summary: 'export, show and replay what a training subnet made',
      load: async () => (await import('./finetune/command.ts')).finetuneCommand,
    },
    {
      name: 'verify',
      summary: 'judge one answer again by its receipt',
      load: async () => (await import('./verify/command.ts')).verifyCommand,
    },
    {
      name: 'audit',
      summary: "compute a validator's row again from its receipts",
      load: async () => (await import('./audit/command.ts')).auditCommand,
    },
    {
      name: 'auditor',
      summary: "set weights by other validators' receipts",
      load: async () => (await import('@arbor/validator/auditor/command')).auditorCommand,
    },
    {
      name: 'doctor',
      summary: 'find out what is wrong, and what mends it',
      load: async () => (await import('./doctor/command.ts')).doctorCommand,
    },
    {
      name: 'faucet',
      summary: 'give a wallet TAO on a development chain',
      load: async () => (await import('./faucet.ts')).faucetCommand,
    },
    {
      name: 'subnet',
      summary: 'create and show subnets',
      load: async () => (await import('./subnet.ts')).subnetCommand,
    },
    {
      name: 'register',
      summary: 'register a hotkey in a subnet',
      load: async () => (await import('./register.ts')).registerCommand,
    },
    {
      name: 'stake',
      summary: 'add, remove and show stake',
      load: async () => (await import('./stake.ts')).stakeCommand,
    },
  ]

const words = process.argv.slice(2)
const wanted = words[0] === 'help' ? words[1] : words[0]
const entry = commands.find(({ name }) => name === wanted)
const load = await entry?.load()

await runCommand((context) => {
  const root = new Command('arbor')
    .description('miners, validators and the chain of a Bittensor-style subnet')
    .enablePositionalOptions() // else commands would take the options of their subcommands
  for (const { name, summary } of commands) {
    root.addCommand(load !== undefined && name === wanted ? load(context) : new Command(name).description(summary))
  }
  return root
}, process)
