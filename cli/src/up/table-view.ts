import { Box, Text } from 'ink'
import { createElement as h, type ReactElement } from 'react'

/** A cell of a table on the screen. */
export interface Cell {
  readonly text: string
  readonly color?: string
}

/** A titled table whose columns have the widths given; the last shrinks on a narrower terminal. */
export function Table({
  title,
  widths,
  columns,
  rows,
}: {
  readonly title: string
  readonly widths: readonly number[]
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}): ReactElement {
  const line = (key: string, cells: readonly Cell[], bold: boolean): ReactElement =>
    h(
      Box,
      { key },
      ...cells.map((cell, i) =>
        h(
          Box,
          { key: i, width: widths[i] ?? 12, flexShrink: i === cells.length - 1 ? 1 : 0 },
          h(
            Text,
            { bold, wrap: 'truncate-end', ...(cell.color === undefined ? {} : { color: cell.color }) },
            cell.text,
          ),
        ),
      ),
    )
  const head = [title, ...columns].map((text) => ({ text }))
  return h(
    Box,
    { flexDirection: 'column', marginBottom: 1 },
    line('head', head, true),
    ...rows.map((cells, i) => line(String(i), cells, false)),
  )
}
