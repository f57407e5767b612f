/** What a stretch of blocks cost, and what the process held at its end. */
export interface Window {
  readonly upTo: number
  readonly cpuMsPerBlock: number
  readonly rssMb: number
  readonly heapMb: number
}

/** What became of an arm that was to make a long history. */
export interface Made {
  readonly blocks: number
  readonly windows: readonly Window[]
  /** Why it stopped before the end. */
  readonly failed: string | null
  readonly databaseBytes: number
}

/** What it took to open a history that is there, from the start of the process. */
export interface Opened {
  readonly best: number
  readonly cpuMs: number
  readonly wallMs: number
  readonly rssMb: number
  readonly failed: string | null
}

/** How many layers of changes, one a block, a read passed through before it failed. */
export interface Depth {
  layers: number
  failed: string | null
}

/** CPU milliseconds of this process, user and system, all threads. */
export const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Blocks in a window: few enough to see a slope, enough to even out garbage collection. */
const WINDOW = 500

/** Notes what blocks cost, window by window. A collection before each reading keeps garbage out of the memory, where the process allows it. */
export const createWindows = (size = WINDOW) => {
  const windows: Window[] = []
  let [since, first] = [cpuMs(), 0]
  return {
    made: (number: number): void => {
      if (number % size !== 0) return
      const used = cpuMs() - since
      globalThis.gc?.()
      const { rss, heapUsed } = process.memoryUsage()
      windows.push({
        upTo: number,
        cpuMsPerBlock: Number((used / (number - first)).toPrecision(4)),
        rssMb: Math.round(rss / 1e6),
        heapMb: Math.round(heapUsed / 1e6),
      })
      ;[since, first] = [cpuMs(), number]
    },
    all: (): readonly Window[] => windows,
  }
}

/** Hands the result to the script that started this process. */
export const report = (result: Made | Opened | Depth): void => console.log(JSON.stringify(result))
