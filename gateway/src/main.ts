import { runCommand } from '@arbor/shared/run-command'
import { gatewayCommand } from './command.ts'

await runCommand(gatewayCommand, process)
