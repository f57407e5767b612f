/** One line of a chart; its points by x, ascending. */
export interface Line {
  readonly label: string
  /** A class of the page's style that gives its colour. */
  readonly colour: string
  readonly points: readonly { readonly x: number; readonly y: number; readonly says: string }[]
}

const WIDTH = 760
const HEIGHT = 280
const MARGIN = { top: 12, right: 128, bottom: 34, left: 56 }
/** Labels at the lines' ends that would lie on each other are moved apart by so much. */
const LABEL_HEIGHT = 14
/** Points are drawn one by one up to so many. */
const MOST_DOTS = 120

/**
 * Draws lines over rounds as one SVG element; nothing outside it is needed but the page's style.
 * @param of.title for those who cannot see it
 */
export function lineChart(of: {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly lines: readonly Line[]
}): string {
  const points = of.lines.flatMap(({ points }) => points)
  const x = scaleOf(
    points.map((point) => point.x),
    [MARGIN.left, WIDTH - MARGIN.right],
  )
  const y = scaleOf(
    points.map((point) => point.y),
    [HEIGHT - MARGIN.bottom, MARGIN.top],
  )
  const parts = [
    ...ticksOf(y.domain).map(
      (tick) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${px(y.at(tick))}" y2="${px(y.at(tick))}"/>` +
        `<text class="tick" text-anchor="end" x="${MARGIN.left - 8}" y="${px(y.at(tick) + 4)}">${number(tick)}</text>`,
    ),
    ...ticksOf(x.domain)
      .filter(Number.isInteger)
      .map(
        (tick) =>
          `<text class="tick" text-anchor="middle" x="${px(x.at(tick))}" y="${HEIGHT - MARGIN.bottom + 18}">${tick}</text>`,
      ),
    `<text class="axis" text-anchor="middle" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 2}">${escaped(of.xLabel)}</text>`,
    `<text class="axis" text-anchor="middle" transform="rotate(-90)" x="${-HEIGHT / 2}" y="14">${escaped(of.yLabel)}</text>`,
    ...of.lines.map((line) => drawLine(line, x.at, y.at)),
    ...labels(of.lines, y.at),
  ]
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(of.title)}"><title>${escaped(of.title)}</title>${parts.join('')}</svg>`
}

const drawLine = ({ points, colour }: Line, x: (value: number) => number, y: (value: number) => number): string => {
  const path = points.map((point) => `${px(x(point.x))},${px(y(point.y))}`).join(' ')
  const dots = points.length > MOST_DOTS ? [] : points
  return (
    `<polyline class="line ${colour}" points="${path}"/>` +
    dots
      .map(
        (point) =>
          `<circle class="dot ${colour}" cx="${px(x(point.x))}" cy="${px(y(point.y))}" r="3"><title>${escaped(point.says)}</title></circle>`,
      )
      .join('')
  )
}

/** Names lines at their ends, from the top down, none on another. */
const labels = (lines: readonly Line[], y: (value: number) => number): readonly string[] => {
  const wanted = lines
    .flatMap(({ label, colour, points }) => {
      const last = points.at(-1)
      return last === undefined || label === '' ? [] : [{ label, colour, at: y(last.y) }]
    })
    .sort((a, b) => a.at - b.at)
  const lowest = HEIGHT - MARGIN.bottom
  const space = Math.min(LABEL_HEIGHT, (lowest - MARGIN.top) / Math.max(1, wanted.length))
  let above = MARGIN.top - space
  return wanted.map(({ label, colour, at }, index) => {
    const room = lowest - (wanted.length - 1 - index) * space
    above = Math.max(above + space, Math.min(at, room))
    return `<text class="name ${colour}" x="${WIDTH - MARGIN.right + 8}" y="${px(above + 4)}">${escaped(label)}</text>`
  })
}

interface Scale {
  readonly domain: readonly [number, number]
  at(value: number): number
}

const scaleOf = (values: readonly number[], [from, to]: readonly [number, number]): Scale => {
  const [low, high] = [min(values), max(values)]
  const spread = high - low
  const domain = [low - (spread === 0 ? 0.5 : 0), high + (spread === 0 ? 0.5 : 0)] as const
  return { domain, at: (value) => from + ((value - domain[0]) / (domain[1] - domain[0])) * (to - from) }
}

const min = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), values[0] ?? 0)
const max = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), values[0] ?? 1)

/** Round numbers within a range: three to eight of them. */
export function ticksOf([low, high]: readonly [number, number]): readonly number[] {
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((each) => each * power >= 0.7 * rough) ?? 10) * power
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

const px = (value: number): string => String(Number(value.toFixed(1)))
const number = (value: number): string => String(Number(value.toPrecision(6)))

/** Makes any text safe within an element or a quoted attribute. */
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
