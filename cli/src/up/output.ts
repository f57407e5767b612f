import type { CommandContext } from '@arbor/shared/command'
import { changes } from './plain.ts'
import type { NetState } from './state.ts'

/** Where the view goes: a screen on a terminal, lines elsewhere, nothing but errors with --json. */
export interface Output {
  show(state: NetState): void
  close(): void
}

export function openOutput({
  context,
  json,
  first,
}: {
  readonly context: CommandContext
  readonly json: boolean
  readonly first: NetState
}): Output {
  const lines = json ? context.stderr : context.stdout
  if (!json && context.stdout.isTTY) return lazyScreen(first)
  let last = first
  return {
    show: (state) => {
      for (const line of changes(last, state)) lines.write(`${line}\n`)
      last = state
    },
    close: () => undefined,
  }
}

/** Loads ink only where there is a terminal to draw on. */
function lazyScreen(first: NetState): Output {
  let latest = first
  let closed = false
  let show = (state: NetState): void => {
    latest = state
  }
  let close = (): void => undefined
  void import('./screen.ts').then(({ openScreen }) => {
    if (closed) return
    const screen = openScreen(latest)
    show = screen.show
    close = screen.close
  })
  return {
    show: (state) => show(state),
    close: () => {
      closed = true
      close()
    },
  }
}
