import { z } from 'zod'

/** One thing that was found out. */
export const findingSchema = z.object({
  level: z.enum(['ok', 'warn', 'bad']),
  /** Which part it is about. */
  step: z.enum(['listening here', 'announced', 'tried from here', 'tried from outside']),
  /** What was looked at: an address, or whom was asked. */
  where: z.string(),
  message: z.string(),
  /** What mends it, the likeliest first. */
  remedies: z.array(z.string()).readonly(),
})
export type Finding = Readonly<z.infer<typeof findingSchema>>
