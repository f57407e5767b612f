import { runCommand } from '@arbor/shared/run-command'
import { minerCommand } from './command.ts'

await runCommand(minerCommand, process)
