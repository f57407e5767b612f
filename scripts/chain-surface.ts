// Makes docs/chain-surface.md from the shipped runtime and the reference's metadata: node scripts/chain-surface.ts
import { writeFileSync } from 'node:fs'
import { makePage } from './surface/make.ts'

writeFileSync(new URL('../docs/chain-surface.md', import.meta.url), await makePage())
