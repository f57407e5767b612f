import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from '@arbor/chain/folder-lock'
import { SubnetError } from '@arbor/shared/errors'

/** The file that marks a folder as a local net's, and that is locked while the net runs. */
const mark = 'net.sqlite'
/** Everything that a local net keeps beside its mark. */
const kept = /^(chain|wallets|gateway-keys?(\.json)?|(miner|validator)-\d+)$/

/**
 * Takes a folder for a local net until it is closed or the process dies: a new or empty one, or one that a local net made.
 * @param of.fresh throws away what an older net left there, and nothing else
 * @throws UP_NOT_A_NET for a folder that holds other things, UP_FOLDER, FOLDER_IN_USE while another net runs in it
 */
export function openNetFolder({ data, fresh }: { readonly data: string; readonly fresh: boolean }): Disposable {
  const lock = claim(data)
  if (fresh) {
    for (const name of readdirSync(data).filter((each) => kept.test(each)))
      rmSync(join(data, name), { recursive: true, force: true })
  }
  return lock
}

function claim(data: string): Disposable {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    if (!existsSync(join(data, mark)) && readdirSync(data).length > 0) throw notANet(data)
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = `the folder ${data} cannot be used: ${why}; name another with --data`
    throw new SubnetError({ code: 'UP_FOLDER', message, cause })
  }
  return lockFolder({ file: join(data, mark), what: 'a local net' })
}

const notANet = (data: string): SubnetError =>
  new SubnetError({
    code: 'UP_NOT_A_NET',
    message: `${data} holds files that no local net made; name a new or empty folder with --data`,
  })
