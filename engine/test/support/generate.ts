import { openEngine } from '../../src/open.ts'

/** Prints the answer of a model folder to a request, both named on the command line. */
const [, , folder = '', request = ''] = process.argv
const engine = await openEngine({ folder })
process.stdout.write(JSON.stringify(await engine.generate(JSON.parse(request))))
await engine.close()
