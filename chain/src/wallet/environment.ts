import { SubnetError } from '@arbor/shared/errors'

/** Names that only Arbor would be meant by. */
const OURS = /^ARBOR_(\w+_)?(MNEMONIC|PHRASE|SEED|SECRET|PASSWORD|PRIVATE_?KEY|URI)$/
/** Names under which other miners and validators are given keys. */
const KNOWN = /(^|_)(MNEMONIC|PHRASE|SEED|SECRET_?KEY|PRIVATE_?KEY|SURI)$|^BT_PW_/
/** A BIP39 phrase, a 32-byte seed or a 64-byte private key in hexadecimal. */
const SECRET = /^\s*([a-z]{3,8}\s+){11,23}[a-z]{3,8}(\/\/?\S+)*\s*$|^\s*(0x)?([0-9a-f]{64}|[0-9a-f]{128})\s*$/i

/**
 * Refuses to go on with a secret under a name of Arbor's, and warns of what looks like one under others' names. An
 * environment is inherited by every child and shown by the system to whoever runs as the same user.
 * @throws WALLET_SECRET_IN_ENVIRONMENT, with the variable's name and never its value
 */
export function refuseSecrets(env: Readonly<Record<string, string | undefined>>, warn: (text: string) => void): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue
    if (OURS.test(name)) throw secretInEnvironment(name)
    if (name.startsWith('BT_PW_') || (KNOWN.test(name.toUpperCase()) && SECRET.test(value)))
      warn(
        `warning: the environment variable ${name} seems to hold a key's secret, which other processes can read; Arbor does not use it, take it out and keep the key in an encrypted wallet (docs/keys.md)`,
      )
  }
}

const secretInEnvironment = (name: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_SECRET_IN_ENVIRONMENT',
    message: `the environment variable ${name} is set, and Arbor takes no secret from the environment; unset it, and use an encrypted wallet with --password-file or a systemd credential (docs/keys.md)`,
    details: { name },
  })
