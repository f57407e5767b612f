import process from 'node:process'
import { runCommand } from '@arbor/shared/run-command'
import { relayCommand } from './command.ts'

await runCommand(relayCommand, process)
