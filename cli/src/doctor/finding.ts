import { z } from 'zod'

/** One thing that was found out. */
export const findingSchema = z.object({
  level: z.enum(['ok', 'warn', 'bad']),
  /** Which part it is about. */
  step: z.enum(['listening here', 'announced', 'tried from here', 'tried from outside', 'dialled out']),
  /** What was looked at: an address, or whom was asked. */
  where: z.string(),
  message: z.string(),
  /** What mends it, the likeliest first. */
  remedies: z.array(z.string()).readonly(),
})
export type Finding = Readonly<z.infer<typeof findingSchema>>
/** A finding without what it is about. */
export type Judgement = Pick<Finding, 'level' | 'message' | 'remedies'>

/** Makes a judgement; what is fine needs no remedy. */
export const judgement = (level: Finding['level'], message: string, remedies: readonly string[] = []): Judgement => ({
  level,
  message,
  remedies: level === 'ok' ? [] : remedies,
})
