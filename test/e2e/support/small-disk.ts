import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

/** A disk that is soon full. */
export interface SmallDisk {
  /** Where it lies once it is mounted. */
  readonly folder: string
  /** Whether this machine lets us mount one. */
  readonly mounts: boolean
  mount(): void
  unmount(): void
}

/** Makes a disk in memory; mounting it takes the right to. @param size as mount(8) writes it, such as 4m */
export const smallDisk = ({ name, size }: { readonly name: string; readonly size: string }): SmallDisk => {
  const folder = join(tmpdir(), `arbor-${name}-${process.pid}`)
  const mount = (): void => {
    mkdirSync(folder, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' })
  }
  const unmount = (): void => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    mount()
    unmount()
    return { folder, mounts: true, mount, unmount }
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return { folder, mounts: false, mount, unmount }
  }
}
