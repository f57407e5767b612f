import process from 'node:process'
import { runCommand } from '@arbor/shared/run-command'
import { chainCommand } from './command.ts'

await runCommand(chainCommand, process)
