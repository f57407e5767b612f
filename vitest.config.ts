import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const exclude = ['**/node_modules/**', '**/target/**']
/** Node keeps what it compiled here: tests start hundreds of processes of the same code, which takes a third less CPU so. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/node', import.meta.url)) }

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['*/test/**/*.test.ts', 'test/*.test.ts', 'test/attacks/*.test.ts'],
          exclude,
          env,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // real processes and sockets: one file at a time, so that they do not starve each other of two cores
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude,
          env,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Bittensor's own Python clients, where they are installed; one file at a time, as above
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          exclude,
          env,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
