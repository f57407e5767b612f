import { runCommand } from '@arbor/shared/run-command'
import { validatorCommand } from './command.ts'

await runCommand(validatorCommand, process)
