import type { CommandContext } from '@arbor/shared/command'
import type { z } from 'zod'

/** Prints a result: with --json one document that its schema has checked, otherwise lines for a person. */
export function print<T extends z.ZodType>(
  { stdout }: CommandContext,
  of: {
    readonly json: boolean | undefined
    readonly schema: T
    readonly value: z.input<T>
    readonly lines: readonly string[]
  },
): void {
  stdout.write(
    of.json === true ? `${JSON.stringify(of.schema.parse(of.value))}\n` : of.lines.map((line) => `${line}\n`).join(''),
  )
}
