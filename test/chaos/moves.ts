import type { DatabaseSync } from 'node:sqlite'
import type { Move, MoveOf } from './killing.ts'

/** Says which methods of a ledger, its log and the log's heads move what; states of before are read from the file, past the ledger. */
export const movesOfLedger = (db: DatabaseSync): MoveOf => {
  const stateOf = (table: 'attempts' | 'runs', key: string, id: unknown): string => {
    const row = db.prepare(`SELECT state FROM ${table} WHERE ${key} = ?`).get(Number(id))
    return row === undefined ? 'start' : String(row.state)
  }
  return (method, args): Move | null => {
    const [first, second] = args as [unknown, { readonly state: string } | undefined]
    switch (method) {
      case 'openAttempt':
        return { machine: 'weights', from: 'start', to: 'computed' }
      case 'moveAttempt':
        return { machine: 'weights', from: stateOf('attempts', 'id', first), to: second?.state ?? '' }
      case 'beginRound':
        return { machine: 'rounds', from: 'start', to: 'planned' }
      case 'moveRound':
        return { machine: 'rounds', from: stateOf('runs', 'round_block', first), to: second?.state ?? '' }
      case 'recordRound': {
        const { run } = first as { readonly run: { readonly roundBlock: number } }
        return { machine: 'rounds', from: stateOf('runs', 'round_block', run.roundBlock), to: 'recorded' }
      }
      case 'prune':
        return { machine: 'receipts', from: 'step', to: 'prune' }
      case 'add':
        return { machine: 'receipts', from: 'step', to: 'sign' }
      case 'setAnchored':
        return { machine: 'receipts', from: 'step', to: 'anchor' }
      default:
        return null
    }
  }
}
