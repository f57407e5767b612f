// Makes the changes that a guide asks for in a checkout: node scripts/follow-guide.ts docs/chain-call.md CHECKOUT
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyEdit, editsOf } from './guide/edits.ts'

const [page, checkout] = process.argv.slice(2)
if (page === undefined || checkout === undefined) {
  console.error('usage: follow-guide PAGE CHECKOUT   (changes files of the checkout)')
  process.exit(2)
}
for (const edit of editsOf(readFileSync(page, 'utf8'))) {
  const file = join(checkout, edit.file)
  writeFileSync(file, applyEdit(existsSync(file) ? readFileSync(file, 'utf8') : undefined, edit))
  console.log(`${edit.place === 'new file' ? 'new file' : `${edit.place} "${edit.line}" in`} ${edit.file}`)
}
